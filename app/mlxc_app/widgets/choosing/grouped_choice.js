// A list in groups with headings. What a person chooses goes to the kernel; the list follows `groups` and `value`.

const element = (tag, properties, ...children) => {
  const one = Object.assign(document.createElement(tag), properties);
  one.append(...children);
  return one;
};

const group = ([heading, entries]) =>
  element("optgroup", { label: heading }, ...entries.map(([label, name]) => element("option", { value: name, textContent: label })));

export default {
  render({ model, el }) {
    // Each list has a module of its own, so that they cannot be counted.
    const id = `mlxc-grouped-choice-${Math.random().toString(36).slice(2)}`;
    const select = element("select", { id, size: model.get("rows") });
    const fill = () => {
      select.replaceChildren(...model.get("groups").map(group));
      choose();
    };
    const choose = () => {
      select.value = model.get("value");
      const option = select.selectedOptions[0];
      if (!option) return;
      // Only the list itself is scrolled, never the page.
      const { top, bottom } = option.getBoundingClientRect(), frame = select.getBoundingClientRect();
      if (top < frame.top) select.scrollTop += top - frame.top;
      if (bottom > frame.bottom) select.scrollTop += bottom - frame.bottom;
    };
    select.onchange = () => {
      model.set("value", select.value);
      model.save_changes();
    };
    model.on("change:groups", fill);
    model.on("change:value", choose);
    el.classList.add("mlxc-grouped-choice");
    el.append(element("label", { htmlFor: id, textContent: model.get("description") }), select);
    fill();
    // A list that is not seen has no height, so that nothing in it can be scrolled to.
    const seen = new ResizeObserver(choose);
    seen.observe(select);
    return () => {
      seen.disconnect();
      model.off("change:groups", fill);
      model.off("change:value", choose);
    };
  },
};
