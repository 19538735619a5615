"use strict";
(() => {
  document.documentElement.classList.add("js");
  const { curves, metrics } = JSON.parse(document.getElementById("curves").textContent);
  const heat = document.getElementById("heat"), dialog = document.getElementById("curve");
  if (!heat) return;
  const SVG = "http://www.w3.org/2000/svg";
  const draw = (parent, name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };

  // A name sorts the other side of the map by its gains; a second time, by name.
  const gain = (main, aux) => {
    const row = heat.tBodies[0].querySelector(`tr[data-task="${CSS.escape(main)}"]`);
    const cell = row && row.querySelector(`td[data-task="${CSS.escape(aux)}"]`);
    return cell && cell.dataset.gain !== undefined ? Number(cell.dataset.gain) : -Infinity;
  };
  const order = (nodes, value) => [...nodes].sort((a, b) =>
    (value ? value(b.dataset.task) - value(a.dataset.task) || 0 : 0) || (a.dataset.task < b.dataset.task ? -1 : 1));
  const sort = (head) => {
    const task = head.dataset.task, byRow = head.scope === "row", again = head.hasAttribute("aria-sort");
    heat.querySelectorAll(`th[scope=${head.scope}]`).forEach((h) => h.removeAttribute("aria-sort"));
    if (!again) head.setAttribute("aria-sort", "descending");
    if (byRow) for (const row of heat.rows)
      row.append(...order(row.querySelectorAll(":scope > [data-task]:not([scope=row])"), again ? null : (aux) => gain(task, aux)));
    else heat.tBodies[0].append(...order(heat.tBodies[0].rows, again ? null : (main) => gain(main, task)));
  };
  heat.querySelectorAll("th").forEach((head) => {
    const button = document.createElement("button"), name = head.dataset.task;
    button.type = "button";
    button.textContent = name;
    button.title = head.scope === "row" ? `sort columns by their gain for ${name}` : `sort rows by their gain from ${name}`;
    button.addEventListener("click", () => { sort(head); button.focus(); });
    head.replaceChildren(button);
  });

  // A cell opens the curves of its pair, with values where one points.
  const chart = (main, lines) => {
    // Drawn in the pixels that there are, so that text keeps its size; on a phone names stand inside.
    const width = Math.min(680, window.innerWidth - 64), narrow = width < 500;
    const height = narrow ? 260 : 330, left = 62, top = 12, bottom = 40;
    const right = narrow ? 24 : 20 + 7 * Math.max(...lines.map((line) => line.name.length));
    const { title, unit } = metrics[main], name = unit ? `${title} of ${main} (${unit.trim()})` : `${title} of ${main}`;
    const all = lines.flatMap((line) => line.points[1]);
    const low = Math.min(...all), high = Math.max(...all, low + 0.1);
    const x = (v) => left + (width - left - right) * v / 100;
    const y = (v) => height - bottom - (height - top - bottom) * (v - low) / (high - low);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${title} of ${main} over the run`);
    for (let n = 0; n <= 4; n++) {
      const value = low + (high - low) * n / 4;
      draw(svg, "line", { x1: left, x2: width - right, y1: y(value), y2: y(value), stroke: "var(--line)" });
      draw(svg, "text", { x: left - 6, y: y(value) + 4, "text-anchor": "end", "font-size": 12, fill: "currentColor" }, value.toFixed(1));
      draw(svg, "text", { x: x(25 * n), y: height - bottom + 16, "text-anchor": "middle", "font-size": 12, fill: "currentColor" }, narrow && n % 2 ? "" : `${25 * n} %`);
    }
    draw(svg, "text", { x: x(50), y: height - 6, "text-anchor": "middle", "font-size": 12, fill: "currentColor" }, "steps, percent of the budget");
    draw(svg, "text", { x: 12, y: height / 2, "text-anchor": "middle", "font-size": 12, fill: "currentColor", transform: `rotate(-90 12 ${height / 2})` }, name);
    const rises = lines.every((line) => line.points[1].at(-1) >= line.points[1][0]);
    let above = !narrow ? -Infinity : rises ? height - bottom - 40 : top;
    const ends = [...lines].sort((a, b) => y(a.points[1].at(-1)) - y(b.points[1].at(-1)));
    for (const line of ends) {
      const path = line.points[0].map((v, n) => `${n ? "L" : "M"}${x(v).toFixed(1)},${y(line.points[1][n]).toFixed(1)}`).join("");
      draw(svg, "path", { d: path, fill: "none", stroke: line.colour, "stroke-width": line.width });
      above = Math.max(narrow ? 0 : y(line.points[1].at(-1)) + 4, above + 15);
      draw(svg, "text", { x: width - right + (narrow ? -4 : 6), y: above, "text-anchor": narrow ? "end" : "start", "font-size": 12, fill: line.colour }, line.name);
    }
    const mark = draw(svg, "line", { y1: top, y2: height - bottom, stroke: "currentColor", "stroke-dasharray": "3 3", visibility: "hidden" });
    const note = document.createElement("p");
    note.textContent = "Point at the chart for values.";
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect(), at = (event.clientX - box.left) / box.width * width;
      const share = Math.min(100, Math.max(0, (at - left) / (width - left - right) * 100));
      mark.setAttribute("x1", x(share)); mark.setAttribute("x2", x(share)); mark.setAttribute("visibility", "visible");
      note.textContent = `${share.toFixed(0)} % of the budget: ` + lines.map((line) => {
        const nearest = line.points[0].reduce((best, v, n) => Math.abs(v - share) < Math.abs(line.points[0][best] - share) ? n : best, 0);
        return `${line.name} ${line.points[1][nearest].toFixed(unit ? 1 : 3)}${unit}`;
      }).join(", ");
    });
    return [svg, note];
  };
  heat.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { main, aux } = link.dataset, alone = curves[`${main}/${main}`];
    const beside = curves[`${[main, aux].sort().join("+")}/${main}`];
    if (!alone || !beside || !alone[0].length || !beside[0].length) return;
    event.preventDefault();
    document.getElementById("curve-title").textContent = link.title;
    const up = Number(link.parentElement.dataset.gain) > 0;
    document.getElementById("curve-chart").replaceChildren(...chart(main, [
      { name: "alone", points: alone, colour: "currentColor", width: 2.5 },
      { name: `with ${aux}`, points: beside, colour: up ? "var(--up)" : "var(--down)", width: 2 },
    ]));
    dialog.showModal();
  });
})();
