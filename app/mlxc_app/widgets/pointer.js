// Scrolls to a place and marks a button or a field there until somebody presses it.

const PATIENCE_MS = 30_000;
const LOOK_MS = 200;

// Also of what is not seen, such as a closed drawer.
const words = (element) => (element.querySelector("label") ?? element).textContent.trim();

// A panel has a button of the same name as the one that starts it; the place is looked at first, then the bar.
const find = (place, press) => {
  const candidates = (root) => Array.from(document.querySelectorAll(`${root} :is(button, .widget-inline-hbox)`));
  return [place, ".mlxc-bar"].flatMap(candidates).find((element) => words(element) === press);
};

let unmark = () => {};

const mark = (element) => {
  unmark();
  element.classList.add("mlxc-marked");
  const events = ["click", "input"];
  unmark = () => {
    element.classList.remove("mlxc-marked");
    events.forEach((name) => element.removeEventListener(name, unmark));
  };
  events.forEach((name) => element.addEventListener(name, unmark));
};

// In a narrow window the choices are in a drawer.
const uncover = (element) => {
  const isHidden = !element.checkVisibility({ visibilityProperty: true });
  if (isHidden && element.closest(".mlxc-drawer")) document.querySelector(".mlxc-drawer-button").click();
};

// A panel is seen with the buttons above it.
const topOf = (place) => {
  const element = document.querySelector(place);
  return element?.closest(".mlxc-pane") ? document.querySelector(".mlxc-tabs") : element;
};

const isSeen = (element) => {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= document.querySelector(".mlxc-bar").getBoundingClientRect().bottom && bottom <= window.innerHeight;
};

const show = ({ place, press }, until) => {
  const element = find(place, press);
  if (element) {
    topOf(place)?.scrollIntoView({ block: "start" });
    uncover(element);
    if (!element.closest(".mlxc-bar") && !isSeen(element)) element.scrollIntoView({ block: "center" });
    mark(element);
  } else if (Date.now() < until) {
    setTimeout(() => show({ place, press }, until), LOOK_MS);
  }
};

export default {
  initialize({ model }) {
    const point = (message) => show(message, Date.now() + PATIENCE_MS);
    model.on("msg:custom", point);
    return () => model.off("msg:custom", point);
  },
};
