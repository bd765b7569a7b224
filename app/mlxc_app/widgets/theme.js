// The colours of the page for what its style sheet does not reach. The page's head holds the switch, see dashboard.ipynb.

const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

const isDark = () => {
  const chosen = document.documentElement.dataset.mlxcTheme;
  return chosen ? chosen === "dark" : systemIsDark.matches;
};

// The value that a custom property of the style sheet has at present.
const colour = (name) => {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
};

const template = () => {
  const ink = colour("--mlxc-ink");
  const muted = colour("--mlxc-muted");
  const line = colour("--mlxc-line");
  const raised = colour("--mlxc-raised");
  const axis = { gridcolor: line, linecolor: muted, tickcolor: muted, zerolinecolor: muted };
  const wall = { ...axis, backgroundcolor: "rgba(0,0,0,0)" };
  return {
    layout: {
      font: { color: ink },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: raised, bordercolor: muted, font: { color: ink } },
      legend: { bgcolor: "rgba(0,0,0,0)" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: ink },
      xaxis: axis,
      yaxis: axis,
      scene: { xaxis: wall, yaxis: wall, zaxis: wall },
    },
  };
};

// Plotly tells the kernel about every change of a layout except those that carry this mark.
const restyle = (figure) => window.Plotly?.relayout(figure, { template: template(), _doNotReportToPy: true });

const restyleAll = () => document.querySelectorAll(".js-plotly-plot").forEach(restyle);

export default {
  initialize({ model }) {
    const follow = () => {
      model.set("dark", isDark());
      model.save_changes();
      restyleAll();
    };
    const begin = (event) => restyle(event.detail.element);
    window.addEventListener("mlxc-theme", follow);
    systemIsDark.addEventListener("change", follow);
    document.addEventListener("plotlywidget-after-render", begin);
    follow();
    return () => {
      window.removeEventListener("mlxc-theme", follow);
      systemIsDark.removeEventListener("change", follow);
      document.removeEventListener("plotlywidget-after-render", begin);
    };
  },
};
