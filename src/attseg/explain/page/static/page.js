/* What a page does when it is opened. */

mountViewer(document.getElementById("view"), JSON.parse(document.getElementById("bundle").textContent)).catch((error) => {
  const old = typeof DecompressionStream === "undefined";
  const text = old
    ? "This browser is too old for this page: it cannot unpack compressed data. Any of 2023 or later can."
    : `The page cannot be shown: ${error.message}`;
  document.getElementById("view").replaceChildren(make("p", { className: "wait" }, text));
});
