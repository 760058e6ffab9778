"use strict";

/**
 * Show what models make of one picture, and what their attention says about each pixel.
 *
 * @param {HTMLElement} element  Where the view goes; what is in it is replaced. Mounting again on the same element shows another bundle.
 * @param {object} bundle  As the module attseg.explain.bundle describes it.
 * @param {object} options
 * @param {(mapId: string, x: number, y: number) => Promise<{rows: number, columns: number, weights: ArrayLike<number>}>}
 *     [options.pairwise]  The weights of one pixel (x, y) of the picture in a pairwise map; asked only for maps whose pairs are
 *     not in the bundle. A call that a later one overtakes may be left unanswered.
 * @returns {{destroy: () => void}}
 */
function mountViewer(element, bundle, { pairwise } = {}) {
  throw new Error("not written yet");
}
