/* Draws every figure with data-chart from the JSON beside it. Without JavaScript the table in the figure says the same. */
"use strict";

(() => {
  const drawn = new Map();
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /* Custom properties hold light-dark() pairs; a probe element turns one into the colour of the theme in use. */
  const colour = (name) => {
    const probe = document.createElement("span");
    probe.hidden = true;
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  const withAlpha = (rgb, alpha) => {
    const [red, green, blue] = rgb.match(/[\d.]+/g);
    return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
  };

  const palette = () => ({
    accent: colour("--accent"),
    muted: colour("--line-strong"),
    ink: colour("--ink-2"),
    strong: colour("--ink"),
    line: colour("--line"),
    surface: colour("--surface"),
  });

  const amounts = (data) => {
    const unit = data.currency ? { style: "currency", currency: data.currency } : {};
    const exact = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, ...unit });
    const short = new Intl.NumberFormat("en-GB", { ...unit, notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 });
    return { exact: (value) => exact.format(value), short: (value) => short.format(value) };
  };

  const lineSet = (series, colours) => (canvas) => {
    const paint = series.tone === "muted" ? colours.muted : colours.accent;
    const { ctx, chartArea } = canvas.chart;
    if (!chartArea) return withAlpha(paint, 0.12);
    const fade = ctx.createLinearGradient(0, chartArea.top, 0, chartArea.bottom);
    fade.addColorStop(0, withAlpha(paint, 0.2));
    fade.addColorStop(1, withAlpha(paint, 0));
    return fade;
  };

  const datasets = (data, kind, colours) =>
    data.series.map((series) => {
      const paint = series.tone === "muted" ? colours.muted : colours.accent;
      const shared = { label: series.label, data: series.values };
      if (kind === "bars") {
        return { ...shared, backgroundColor: paint, borderRadius: 4, maxBarThickness: 28, categoryPercentage: 0.62, barPercentage: 0.86 };
      }
      return {
        ...shared,
        borderColor: paint,
        backgroundColor: lineSet(series, colours),
        borderWidth: 2,
        fill: series.tone !== "muted",
        borderDash: series.tone === "muted" ? [4, 4] : [],
        pointRadius: 0,
        pointHoverRadius: 5,
        pointHoverBackgroundColor: paint,
        pointHoverBorderColor: colours.surface,
        pointHoverBorderWidth: 2,
        stepped: true,
      };
    });

  const options = (data, kind, colours) => {
    const { exact, short } = amounts(data);
    const font = { family: '"Inter", system-ui, sans-serif', size: 12 };
    return {
      maintainAspectRatio: false,
      animation: still ? false : { duration: 400 },
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: {
          backgroundColor: colours.strong,
          titleColor: colours.surface,
          bodyColor: colours.surface,
          padding: 12,
          cornerRadius: 8,
          boxPadding: 6,
          displayColors: data.series.length > 1,
          titleFont: { ...font, weight: "400" },
          bodyFont: { ...font, size: 13, weight: "600" },
          callbacks: {
            label: (item) => (data.series.length > 1 ? `${item.dataset.label}  ${exact(item.raw)}` : exact(item.raw)),
          },
        },
      },
      scales: {
        x: {
          grid: { display: false },
          border: { color: colours.line },
          ticks: { color: colours.ink, font, maxRotation: 0, autoSkipPadding: 24 },
        },
        y: {
          beginAtZero: true,
          grid: { color: colours.line, drawTicks: false },
          border: { display: false },
          ticks: { color: colours.ink, font, padding: 8, maxTicksLimit: 5, callback: short },
        },
      },
    };
  };

  const draw = (figure) => {
    const source = document.getElementById(figure.dataset.chart);
    const frame = figure.querySelector(".chart__canvas");
    if (!source || !frame) return;
    const data = JSON.parse(source.textContent);
    const kind = figure.dataset.kind;
    const colours = palette();
    const config = {
      type: kind === "bars" ? "bar" : "line",
      data: { labels: data.labels, datasets: datasets(data, kind, colours) },
      options: options(data, kind, colours),
    };
    drawn.get(figure)?.destroy();
    frame.hidden = false;
    drawn.set(figure, new window.Chart(frame.querySelector("canvas"), config));
  };

  const start = (scope) => {
    for (const [figure, chart] of drawn) {
      if (!figure.isConnected) {
        chart.destroy();
        drawn.delete(figure);
      }
    }
    for (const figure of scope.querySelectorAll("[data-chart]")) {
      if (drawn.has(figure)) continue;
      figure.querySelector(".chart__data").open = false;
      draw(figure);
    }
  };

  if (!window.Chart) return;
  document.addEventListener("portal:theme", () => drawn.forEach((_, figure) => draw(figure)));
  document.addEventListener("htmx:load", (event) => start(event.target));
  start(document);
})();
