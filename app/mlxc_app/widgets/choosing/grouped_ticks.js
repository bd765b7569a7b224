// Boxes to tick, in groups with headings. What a person ticks goes to the kernel; the boxes follow `groups` and `ticked`.

const element = (tag, properties, ...children) => {
  const one = Object.assign(document.createElement(tag), properties);
  one.append(...children);
  return one;
};

// What was ticked before the page was reloaded is ticked again.
const kept = (key) => {
  try {
    return JSON.parse(sessionStorage[key]);
  } catch {
    return [];
  }
};
const keep = (key, ticked) => {
  try {
    sessionStorage[key] = JSON.stringify(ticked);
  } catch {}
};

export default {
  initialize({ model }) {
    const key = model.get("remembered_as");
    if (!key) return;
    const before = kept(key);
    const follow = () => keep(key, model.get("ticked"));
    model.on("change:ticked", follow);
    if (before.length && !model.get("ticked").length) {
      model.set("ticked", before);
      model.save_changes();
    }
    return () => model.off("change:ticked", follow);
  },
  render({ model, el }) {
    const box = ([label, name]) => {
      const input = element("input", { type: "checkbox", value: name });
      input.onchange = () => {
        const others = model.get("ticked").filter((other) => other !== name);
        model.set("ticked", input.checked ? [...others, name] : others);
        model.save_changes();
      };
      return element("label", { title: label }, input, label);
    };
    const group = ([heading, entries]) =>
      element("fieldset", {}, element("legend", { textContent: heading }), ...entries.map(box));
    const fill = () => {
      el.replaceChildren(...model.get("groups").map(group));
      tick();
    };
    const tick = () => {
      const ticked = new Set(model.get("ticked"));
      for (const input of el.querySelectorAll("input")) input.checked = ticked.has(input.value);
    };
    model.on("change:groups", fill);
    model.on("change:ticked", tick);
    el.classList.add("mlxc-grouped-ticks");
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", model.get("description"));
    fill();
    return () => {
      model.off("change:groups", fill);
      model.off("change:ticked", tick);
    };
  },
};
