// The registering desk: fields and their boxes on the page, one after the other by Enter.
// It fills and confirms fields; it never sends the form and never decides a value: what the machine read is a proposal.
"use strict";

(() => {
  const form = document.querySelector("form[data-desk]");
  const box = document.querySelector("[data-viewer]");
  if (!form) return;
  const rows = [...form.querySelectorAll("[data-field]")];
  const inputOf = (row) => row.querySelector("input:not([type=hidden]), select, textarea");
  const rowOf = (target) => target.closest?.("[data-field]");
  const pageOf = (row) => Number(row.dataset.page) || 0;
  let current = null;

  // ---- boxes of all fields over the pages ------------------------------------------------------------
  function markPages() {
    const pages = new Map();
    for (const row of rows) {
      if (!row.dataset.box) continue;
      const one = {
        box: JSON.parse(row.dataset.box),
        kind: row.dataset.state === "sure" ? "sure" : "doubt",
        n: row.dataset.n,
        field: row.dataset.field,
      };
      pages.set(pageOf(row), [...(pages.get(pageOf(row)) ?? []), one]);
    }
    for (const [page, boxes] of pages) box?.viewer?.mark(page, boxes);
  }

  // ---- the cut-out: drawn from the page image that is on screen, so the page is not fetched twice ---------
  function cut(row, image) {
    const canvas = row.querySelector("[data-crop]");
    if (!canvas || !row.dataset.box || !image?.naturalWidth) return;
    const [left, top, right, bottom] = JSON.parse(row.dataset.box);
    const { naturalWidth: wide, naturalHeight: high } = image;
    const pad = 30; // ten-thousandths of the page around the box
    const x = Math.max(0, ((left - 4 * pad) / 10000) * wide);
    const y = Math.max(0, ((top - pad) / 10000) * high);
    const width = Math.min(wide - x, ((right - left + 8 * pad) / 10000) * wide);
    const height = Math.min(high - y, ((bottom - top + 2 * pad) / 10000) * high);
    canvas.width = Math.round(width * 2);
    canvas.height = Math.round(height * 2);
    canvas.getContext("2d").drawImage(image, x, y, width, height, 0, 0, canvas.width, canvas.height);
    canvas.hidden = false;
  }
  function cutDoubtful(page, image) {
    for (const row of rows) if (pageOf(row) === page && row.dataset.state !== "sure") cut(row, image);
  }

  // ---- the current field ---------------------------------------------------------------------------------
  function enter(row) {
    if (row === current) return;
    current?.classList.remove("here");
    current = row;
    row.classList.add("here");
    box?.viewer?.point(row.dataset.field, pageOf(row));
  }
  function go(row) {
    const input = inputOf(row);
    input?.focus();
    input?.select?.();
    row.scrollIntoView({ block: "nearest" });
  }
  function next(row) {
    const after = rows.slice(rows.indexOf(row) + 1).filter(inputOf);
    return after.find((one) => one.dataset.state !== "sure") ?? after[0];
  }

  function confirm(row) {
    row.dataset.state = "sure";
    row.classList.remove("doubt");
    row.querySelector("[data-confirmed]")?.removeAttribute("disabled");
    const place = row.querySelector("[data-confidence]");
    const done = document.getElementById("desk-confirmed");
    if (place && done) place.replaceChildren(done.content.cloneNode(true));
    const canvas = row.querySelector("[data-crop]");
    if (canvas) canvas.hidden = true;
    markPages();
    count();
  }
  // The value that stood in the field becomes the other reading, so that the choice can be taken back.
  const wordsOf = (input) => input.selectedOptions?.[0]?.text ?? input.value;
  function swap(button, value, words) {
    button.dataset.take = value;
    const shown = button.parentElement.querySelector("[data-reading]");
    if (shown) shown.textContent = words;
  }
  function take(row, place) {
    const button = row.querySelectorAll("[data-take]")[place];
    const input = inputOf(row);
    if (!button || !input) return false;
    const before = input.value;
    const words = wordsOf(input);
    input.value = button.dataset.take;
    if (input.value === "" && input.matches("select")) input.value = before;
    else if (before) swap(button, before, words);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    confirm(row);
    go(row);
    return true;
  }
  function count() {
    const doubtful = rows.filter((row) => row.dataset.state === "doubt").length;
    for (const place of document.querySelectorAll("[data-doubt-count]")) place.textContent = String(doubtful);
    for (const place of document.querySelectorAll("[data-sure-count]")) {
      place.textContent = String(rows.filter((row) => row.dataset.state === "sure").length);
    }
  }

  // The register and its next number follow the direction and the level that are chosen.
  const registers = JSON.parse(form.dataset.registers ?? "{}");
  function showRegister() {
    const { direction, level } = form.elements;
    const told = registers[`${direction?.value} ${level?.value}`];
    if (!told) return;
    form.querySelector("[data-register-name]").textContent = told.name;
    form.querySelector("[data-register-expected]").textContent = told.expected ?? "";
    form.querySelector("[data-register-number]").hidden = !told.expected;
    form.querySelector("[data-register-act]").textContent = told.act;
    form.querySelector("[data-register-act]").closest("button").disabled = !told.expected;
  }

  // ---- listening --------------------------------------------------------------------------------------------
  form.addEventListener("focusin", (event) => rowOf(event.target) && enter(rowOf(event.target)));
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-take]");
    if (button) take(rowOf(button), [...rowOf(button).querySelectorAll("[data-take]")].indexOf(button));
  });
  form.addEventListener("change", showRegister);
  form.addEventListener("input", (event) => {
    const row = rowOf(event.target);
    if (row && row.dataset.state === "sure") row.dataset.state = "typed";
  });
  form.addEventListener("keydown", (event) => {
    const row = rowOf(event.target);
    if (!row || event.isComposing || event.target !== inputOf(row)) return;
    if (event.key !== "Enter" || event.ctrlKey || event.shiftKey || event.altKey || event.metaKey) return;
    event.preventDefault(); // Enter confirms one field; Ctrl Enter sends the form
    confirm(row);
    const after = next(row);
    if (after) go(after);
    else form.querySelector('[data-key="ctrl+enter"]')?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "F2" && current) {
      event.preventDefault();
      if (current.contains(document.activeElement)) box?.querySelector("[data-paper]")?.focus();
      else go(current);
      return;
    }
    const figure = /^Digit([1-4])$/.exec(event.code)?.[1];
    if (!figure || !current || event.ctrlKey || event.metaKey) return;
    if (event.altKey !== window.office.typing(event.target)) return; // plain outside a field, with Alt inside
    // The first reading stands in the field already, so 1 keeps and confirms it.
    const done = figure === "1" ? (confirm(current), true) : take(current, Number(figure) - 2);
    if (done) event.preventDefault();
  });
  document.addEventListener("office:box", (event) => {
    const row = rows.find((one) => one.dataset.field === event.detail.field);
    if (row) go(row);
  });
  document.addEventListener("office:page", (event) => cutDoubtful(event.detail.page, event.detail.image));
  document.addEventListener("office:viewer", markPages);

  markPages();
  count();
  const shown = box?.querySelector("[data-sheet] img");
  if (shown?.complete) cutDoubtful(box.viewer.page, shown);
  const first =
    rows.find((row) => row.querySelector(".bad")) ?? rows.find((row) => row.dataset.state === "doubt") ?? rows.find(inputOf);
  if (first && matchMedia("(min-width: 992px)").matches) go(first);
})();
