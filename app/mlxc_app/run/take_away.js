// A menu with buttons for files, the command, and a link. What a person typed becomes text here, never markup.

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const save = (name, data) => {
  const url = URL.createObjectURL(new Blob([data]));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
};

const fileRow = (model, [kind, label, meaning]) => {
  const button = element("button", { type: "button", className: "jupyter-button", textContent: label });
  button.onclick = () => model.send({ kind });
  return element("tr", {}, element("td", {}, button), element("td", { textContent: meaning }));
};

const copyButton = (text) => {
  const button = element("button", { type: "button", className: "jupyter-button", textContent: "Copy" });
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Mark it, press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  };
  return button;
};

const linkTo = (offer) => {
  if (!offer.link) return element("p", { textContent: offer.problem, hidden: !offer.problem });
  const link = element("a", { href: offer.link, textContent: "Link to this set-up", target: "_blank" });
  return element("p", {}, link, " opens this page with the same choices, in the panel that is open now. ", copyButton(() => link.href));
};

const contents = (model, offer) => [
  element("p", { className: "mlxc-hint", textContent: offer.title }),
  element("table", { className: "mlxc-table" }, ...offer.kinds.map((kind) => fileRow(model, kind))),
  ...(offer.note ? [element("p", { textContent: offer.note })] : []),
  element("p", { textContent: offer.before_command }),
  element("pre", { className: "mlxc-command", textContent: offer.command }),
  copyButton(() => offer.command),
  linkTo(offer),
];

export default {
  initialize({ model }) {
    model.on("msg:custom", (message, buffers) => save(message.name, buffers[0]));
  },
  render({ model, el }) {
    const body = element("div", {});
    const fold = element("details", { className: "mlxc-take-away" }, element("summary", { textContent: "Take away" }), body);
    const show = () => {
      const offer = model.get("offer");
      fold.hidden = !offer.title;
      fold.open &&= Boolean(offer.title);
      body.replaceChildren(...(offer.title ? contents(model, offer) : []));
    };
    const close = ({ target }) => { fold.open &&= fold.contains(target); };
    fold.onkeydown = ({ key }) => { fold.open &&= key !== "Escape"; };
    document.addEventListener("click", close);
    model.on("change:offer", show);
    show();
    el.classList.add("mlxc-take-away-place");
    el.append(fold);
    return () => {
      document.removeEventListener("click", close);
      model.off("change:offer", show);
    };
  },
};
