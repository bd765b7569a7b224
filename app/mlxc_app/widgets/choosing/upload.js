// A button that sends a file to the kernel, chosen or dropped on it. Nothing of it is kept, so the same file can be sent
// again.

export default {
  render({ model, el }) {
    const input = Object.assign(document.createElement("input"), { type: "file", accept: model.get("accept"), hidden: true });
    const button = Object.assign(document.createElement("button"), {
      type: "button", className: "jupyter-button widget-button", textContent: model.get("description"), title: model.get("tooltip"),
    });
    button.onclick = () => input.click();
    const send = async ([file]) => {
      if (!file) return;
      // A message that is too large would take the connection with it.
      const buffers = file.size <= model.get("largest_bytes") ? [await file.arrayBuffer()] : [];
      model.send({ name: file.name, size: file.size }, undefined, buffers);
      input.value = "";
    };
    input.onchange = () => send(input.files);
    el.ondragover = (event) => event.preventDefault();
    el.ondrop = (event) => {
      event.preventDefault();
      send(event.dataTransfer.files);
    };
    el.classList.add("mlxc-upload");
    el.append(button, input);
  },
};
