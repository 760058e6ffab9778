/* What a view says: the names of layers, a sentence on each kind of map, numbers as people read them. */

const ENDS = "On pictures larger than those of its training, a network may reach no further than there: beyond, weights are 0.";

const KINDS = {
  scale: {
    brief: "how much each size of the picture counts at this pixel",
    text:
      "The network saw the picture at several sizes. The colour says how much the chosen size counts at each place; " +
      "over all sizes the weights sum to 1.",
  },
  class: {
    brief: "how much each class counts at this pixel",
    text:
      "The score of each class is raised or lowered at each place by what surrounds it. " +
      "The colour says how much the chosen class counts there.",
  },
  channel: {
    brief: "how far each channel passes, the same for every pixel",
    text:
      "Each bar is a gate on one channel of the features: at 0 the channel is shut, at 1 it passes as it is. " +
      "The gates are the same for every pixel; the line is their mean.",
  },
  "channel-pairs": {
    brief: "how much each channel is read by the others",
    text:
      "Every channel gathers from all channels. Each bar is the mean weight that a channel has in all others, " +
      "the same for every pixel; the line is their mean.",
  },
  spatial: {
    brief: "the weight of the features at this pixel",
    text: "The features of each place are multiplied by a weight. The colour says how large it is.",
  },
  collect: {
    brief: "where this pixel gathers features from",
    text: `How much the chosen pixel gathers from every place of the picture. ${ENDS}`,
    turned: "How much every place of the picture gathers from the chosen pixel.",
  },
  distribute: {
    brief: "which places receive features of this pixel",
    text:
      "How much the chosen pixel gives to every place. A weight is that pixel's share of all that the place receives, " +
      `so what one pixel gives need not sum to 1. ${ENDS}`,
    turned: "How much the chosen pixel receives from every place of the picture.",
  },
};

const LAYERS = {
  picture: { title: "Picture", text: "The picture as it is." },
  prediction: { title: "Prediction", text: "The most probable class of each pixel." },
  truth: { title: "Labels", text: "The labels of the data set: what the prediction should be. Grey has no label." },
  certainty: {
    title: "Certainty",
    text: "The probability of the most probable class, as the network sees it. Bright is certain; certain is not right.",
  },
  without: { title: "Without a map", text: "" },
  difference: {
    title: "Differences",
    text: "Where both name the same class, the picture is grey; where they differ, it has the colour of this side's class.",
  },
};

const KEYS = [
  ["← → ↑ ↓", "move the pixel; with Shift ten at a time"],
  ["1 – 9, 0", "show a map; [ and ] the one before and after"],
  ["click", "keep a pixel; Esc lets it go"],
  ["+ and −", "opacity"],
  ["C", "colours"],
  ["S", "smooth or single cells"],
  ["L", "copy a link to this view"],
  ["?", "this help"],
];

const kindOf = (map) => (map.pairs ? map.pairs.direction : map.kind);

function mapText(map, turned) {
  const coarse =
    map.pool === 1
      ? ""
      : map.pairs
        ? ` This page holds the map of one position in ${map.pool} × ${map.pool}, in means of as many.`
        : ` This page holds means of ${map.pool} × ${map.pool} cells.`;
  const kind = KINDS[kindOf(map)];
  return (turned ? kind.turned : kind.text) + coarse;
}

/** The name of a scale, class or channel of a map. */
function entryName(map, index) {
  if (index < 0) return "mean of all channels";
  if (map.entries) return map.entries[index];
  return map.kind === "scale" ? `scale ${index + 1}` : map.kind === "class" ? `class ${index}` : `channel ${index}`;
}

/** A share in percent. */
function percent(share) {
  const value = 100 * share;
  if (value > 0 && value < 0.05) return "< 0.1 %";
  if (value < 100 && value >= 99.95) return "> 99.9 %";
  const close = (value > 0 && value < 9.95) || (value >= 99.05 && value < 100);
  return `${value.toFixed(close ? 1 : 0)} %`;
}

/** A weight, with as many digits as tell it from its neighbours. */
function number(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 100) return value.toFixed(0);
  if (size >= 0.1) return value.toFixed(2);
  return size >= 0.001 ? value.toFixed(4) : value.toExponential(1);
}
