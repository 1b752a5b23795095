// Charts read their figures from data attributes and their colours from the tokens, and are drawn again when the theme changes.
// A bar with an address leads to its rows. Nothing is fetched here.
"use strict";

(() => {
  const drawn = new Map();
  const figures = new Intl.NumberFormat(document.documentElement.lang);

  // A token is light-dark(…): only a real element knows which side is in force.
  function token(name) {
    const probe = document.createElement("i");
    probe.hidden = true;
    document.body.append(probe);
    probe.style.setProperty("color", `var(--${name})`);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  function sets(canvas, kind) {
    return JSON.parse(canvas.dataset.series).map((series) => ({
      label: series.label,
      data: series.data,
      backgroundColor: token(series.token),
      borderColor: token(series.token),
      borderWidth: kind === "line" ? 2 : 0,
      borderDash: series.dash ? [5, 4] : [],
      pointRadius: 0,
      borderRadius: 2,
      maxBarThickness: 22,
      tension: 0.25,
    }));
  }

  function axes(kind, side) {
    const line = token("line");
    const ticks = { callback(value) { return typeof value === "number" && this.type === "linear" ? figures.format(value) : this.getLabelForValue(value); } };
    return {
      x: { stacked: kind === "bar", grid: { display: side, color: line }, border: { display: false }, beginAtZero: true, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 10 } },
      y: { stacked: kind === "bar", grid: { display: !side, color: line }, border: { display: false }, beginAtZero: true, ticks: { ...ticks, maxTicksLimit: side ? 20 : 5 } },
    };
  }

  function options(canvas, kind, count) {
    const side = canvas.dataset.side !== undefined;
    const links = canvas.dataset.links ? JSON.parse(canvas.dataset.links) : null;
    return {
      animation: false,
      indexAxis: side ? "y" : "x",
      maintainAspectRatio: false,
      responsive: true,
      plugins: { legend: { display: count > 1, position: "bottom", labels: { boxWidth: 10, boxHeight: 10, padding: 12 } } },
      scales: axes(kind, side),
      onClick: (_event, hit) => {
        if (links && hit.length && links[hit[0].index]) location.assign(links[hit[0].index]);
      },
    };
  }

  function draw(canvas) {
    drawn.get(canvas)?.destroy();
    const kind = canvas.dataset.chart;
    const datasets = sets(canvas, kind);
    const labels = JSON.parse(canvas.dataset.labels);
    drawn.set(canvas, new Chart(canvas, { type: kind, data: { labels, datasets }, options: options(canvas, kind, datasets.length) }));
  }

  function drawAll() {
    for (const [canvas, chart] of drawn) {
      if (canvas.isConnected) continue;
      chart.destroy();
      drawn.delete(canvas);
    }
    Object.assign(Chart.defaults.font, { family: "Inter, sans-serif", size: 12 });
    Chart.defaults.color = token("ink-soft");
    for (const canvas of document.querySelectorAll("canvas[data-chart]")) draw(canvas);
  }

  if (!window.Chart) return;
  document.fonts.ready.then(drawAll);
  document.addEventListener("office:theme", drawAll);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.querySelector?.("canvas[data-chart]")) drawAll();
  });
})();
