#!/usr/bin/env bash
# What a GPU has to show, in at most ten minutes: tests, number formats, several GPUs, determinism, speed and memory, a short run.
#
#     benchmarks/gpu.sh OUT [CAMVID]                  on the first GPU
#     DEVICE=cpu QUICK=1 benchmarks/gpu.sh OUT        the script itself, where there is none
#
# Each part has a time limit of its own, ten times as long with QUICK; OUT gets a file of each, and summary.txt says how each ended.
set -u
out=${1:?give a folder for the results} camvid=${2:-}
device=${DEVICE:-cuda} quick=${QUICK:-}
cd "$(dirname "$0")/.." && mkdir -p "$out"
export PYTHONPATH=src${PYTHONPATH:+:$PYTHONPATH}
python=${PYTHON:-python} summary="$out/summary.txt"
{ date -u +%F\ %H:%M; nvidia-smi -L 2>/dev/null || echo "no GPU"; "$python" -c 'import torch; print("torch", torch.__version__)'; } > "$summary"

part() { # NAME SECONDS COMMAND...
    local name=$1 seconds=$(($2 * factor)) began=$SECONDS status=0
    shift 2
    timeout "$seconds" "$@" > "$out/$name.txt" 2>&1 || status=$?
    printf '%-14s exit %3d, %4d s\n' "$name" "$status" $((SECONDS - began)) | tee -a "$summary"
}
train() { # NAME SECONDS OPTIONS...
    local name=$1 seconds=$2
    shift 2
    rm -rf "$out/run-$name"
    part "train-$name" "$seconds" "$python" -m attseg train pan-scenes --steps "${steps}" --val_every "${steps}" --machine.device "$device" --out "$out/run-$name" "$@"
}

steps=40 factor=1 networks=(--repeats 10 --batch 4 --size 513) attention=(--repeats 10 --batch 2 --size 60)
if [ -n "$quick" ]; then
    steps=2 factor=10 networks=(--repeats 1 --batch 2 --size 128 --encoder resnet18) attention=(--repeats 1 --batch 1 --size 12 --channels 32)
fi

[ "$device" = cpu ] || part tests 120 "$python" -m pytest -q -n 0 -m gpu
part networks 120 "$python" benchmarks/gpu.py networks --device "$device" "${networks[@]}" --out "$out/networks.md"
part attention 60 "$python" benchmarks/gpu.py attention --device "$device" "${attention[@]}" --out "$out/attention.md"
train 32 40
train bf16 40 --machine.precision bf16
[ "$device" = cpu ] || train fp16 40 --machine.precision fp16
train same-1 40 --machine.deterministic true
train same-2 40 --machine.deterministic true
part determinism 10 cmp "$out/run-same-1/last.safetensors" "$out/run-same-2/last.safetensors"
gpus=$("$python" -c 'import torch; print(torch.cuda.device_count())')
if [ "$gpus" -gt 1 ]; then
    train nccl 60 --machine.devices 2 --machine.sync_bn true
fi
[ -n "$quick" ] || part compile 90 "$python" benchmarks/gpu.py networks --device "$device" "${networks[@]}" --repeats 5 --compile --out "$out/compiled.md"
if [ -n "$camvid" ]; then
    rm -rf "$out/run-camvid"
    part camvid 120 "$python" -m attseg train finetune-small --data.name camvid --data.root "$camvid" --crop_size 352,480 --batch_size 16 --minutes 1.5 \
        --machine.device "$device" --machine.precision bf16 --out "$out/run-camvid"
fi
cat "$summary"
