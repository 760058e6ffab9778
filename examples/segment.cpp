// Segment a picture: segment model.onnx street.ppm labels.pgm (class indices 0..K-1, not the values of the data set's label files)
#include <onnxruntime_cxx_api.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    if (argc != 4) { std::cerr << "segment MODEL.onnx PICTURE.ppm LABELS.pgm\n"; return 2; }
    std::ifstream in(argv[2], std::ios::binary);
    std::string magic;
    int64_t width = 0, height = 0, most = 0;
    in >> magic >> width >> height >> most;
    in.get();                                                            // the byte between header and pixels
    std::vector<uint8_t> pixels(width * height * 3);
    in.read(reinterpret_cast<char*>(pixels.data()), pixels.size());
    if (!in || magic != "P6" || most != 255) { std::cerr << argv[2] << " is no PPM of bytes\n"; return 1; }

    Ort::Env env(ORT_LOGGING_LEVEL_WARNING, "segment");
    Ort::Session session(env, argv[1], Ort::SessionOptions());
    auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::array<int64_t, 4> shape{1, height, width, 3};
    auto images = Ort::Value::CreateTensor<uint8_t>(memory, pixels.data(), pixels.size(), shape.data(), shape.size());
    const char* inputs[] = {"images"};
    const char* outputs[] = {"labels"};                                  // or also "scores"
    auto found = session.Run(Ort::RunOptions(), inputs, &images, 1, outputs, 1);
    const uint8_t* labels = found[0].GetTensorData<uint8_t>();           // height * width class indices

    std::ofstream out(argv[3], std::ios::binary);
    out << "P5\n" << width << " " << height << "\n255\n";
    out.write(reinterpret_cast<const char*>(labels), width * height);
    return out ? 0 : 1;
}
