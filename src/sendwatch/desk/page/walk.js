/*
 * Lists and the map by arrow keys: one stop for Tab, as in any list box.
 *
 * Belongs here: where the focus goes. Not here: what an item does (page.js); `data-rove` marks a list, `data-item` what
 * is in it.
 */

/** Let exactly one item of a list be reached by Tab. */
export function keepStop(list) {
  const items = [...list.querySelectorAll("[data-item]:not(:disabled)")],
    stops = items.filter((each) => each.tabIndex === 0);
  const stop = stops.find((each) => each === document.activeElement) ?? stops[0] ?? items[0];
  for (const each of stops) if (each !== stop) each.tabIndex = -1;
  if (stop && stop.tabIndex !== 0) stop.tabIndex = 0;
}

const STEPS = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] };

document.addEventListener("keydown", (event) => {
  const item = event.target.closest?.("[data-item]"),
    list = item?.closest("[data-rove]");
  if (!list || event.altKey || event.ctrlKey || event.metaKey) return;
  const items = [...list.querySelectorAll("[data-item]:not(:disabled)")];
  let next = null;
  if (event.key === "Home") next = items[0];
  else if (event.key === "End") next = items.at(-1);
  else if (event.key in STEPS)
    next =
      list.dataset.rove === "grid"
        ? nearest(item, items, STEPS[event.key])
        : items[items.indexOf(item) + STEPS[event.key][1]];
  if (!next) return;
  event.preventDefault();
  for (const each of items) each.tabIndex = each === next ? 0 : -1;
  next.focus();
});

function nearest(item, items, [right, down]) {
  const middle = (each) => {
    const { left, top, width, height } = each.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  };
  const [x, y] = middle(item);
  let best = null,
    least = Infinity;
  for (const each of items) {
    const [u, v] = middle(each),
      along = (u - x) * right + (v - y) * down,
      across = Math.abs((u - x) * down) + Math.abs((v - y) * right);
    if (along > 1 && along + across * 3 < least) [best, least] = [each, along + across * 3];
  }
  return best;
}
