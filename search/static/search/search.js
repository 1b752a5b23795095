// The search page: suggestions by keyboard, the builder's words into the box, a span chosen across bars.
// Without it words, chips, facets and bars still work as a form and links. No word of a question is put into an address here.
"use strict";

(() => {
  const box = document.getElementById("q");
  const list = document.getElementById("hints");
  const form = document.getElementById("ask");
  if (!box) return;

  // ---- an answer that came with its form names its address: reloading and coming back send nothing anew ----
  if (form.elements.at_once.value) history.replaceState(null, "", form.elements.at_once.value);

  // ---- suggestions ---------------------------------------------------------------------------------
  const options = () => [...list.querySelectorAll("[role=option]")];
  let at = -1; // which suggestion is chosen; -1 is what was typed
  let typed = box.value;

  function open(isOpen) {
    list.hidden = !isOpen;
    box.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) choose(-1);
  }
  function choose(place) {
    at = place;
    options().forEach((option, number) => option.setAttribute("aria-selected", String(number === place)));
    if (place < 0) box.removeAttribute("aria-activedescendant");
    else box.setAttribute("aria-activedescendant", options()[place].id);
  }
  function take(option) {
    box.value = option.dataset.text;
    open(false);
    form.requestSubmit(form.querySelector(".btn-primary"));
  }
  function onKey(event) {
    if (event.isComposing) return;
    const all = options();
    if (event.key === "Escape" && !list.hidden) {
      box.value = typed;
      open(false);
    } else if (event.key === "Enter" && at >= 0 && !list.hidden) take(all[at]);
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
      if (list.hidden) open(true);
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      choose(next >= all.length ? -1 : next < -1 ? all.length - 1 : next);
      box.value = at < 0 ? typed : all[at].dataset.text;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  box.addEventListener("keydown", onKey);
  box.addEventListener("input", () => {
    typed = box.value;
    if (!typed.trim()) open(false);
  });
  // Leaving the box closes the list after a press on one of its lines has been heard.
  box.addEventListener("blur", () => setTimeout(() => open(false), 150));
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== list) return;
    choose(-1);
    open(document.activeElement === box && options().length > 0);
  });

  // ---- the builder: its lines are written into the box ------------------------------------------------
  // What was typed while an answer was on its way is newer than the answer: that one is dropped, the next is asked for already.
  let edits = 0;
  const asked = new WeakMap();
  document.addEventListener("input", (event) => {
    if (event.target === box || event.target.closest("#rows")) edits += 1;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id === "rows") asked.set(event.detail.xhr, edits);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const then = asked.get(event.detail.xhr);
    if (then !== undefined && then !== edits) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:load", (event) => {
    const rows = event.target;
    if (rows.id !== "rows" || rows.dataset.written === undefined) return;
    box.value = typed = rows.dataset.written;
  });

  // ---- a span of bars --------------------------------------------------------------------------------------
  for (const row of document.querySelectorAll("[data-span]")) {
    const bars = [...row.querySelectorAll(".bar")];
    const said = row.querySelector("[data-chosen]");
    let first = -1; // where the span begins; -1 while none is being chosen
    let last = -1;
    let dragged = false;

    const order = () => (first <= last ? [bars[first], bars[last]] : [bars[last], bars[first]]);
    const name = (value) => value.split("-").reverse().join("/"); // a month is said 05/2024
    const span = () => order().map((bar, end) => (end ? bar.dataset.last : bar.dataset.first));
    function show() {
      const [low, high] = [Math.min(first, last), Math.max(first, last)];
      bars.forEach((bar, place) => bar.classList.toggle("in-span", first >= 0 && place >= low && place <= high));
      said.textContent = first < 0 || first === last ? "" : span().map(name).join(" – ");
    }
    function begin(place) {
      first = last = place;
      dragged = false;
      show();
    }
    function go() {
      const address = new URL(order()[0].href);
      address.searchParams.set("span", span().join(".."));
      location.assign(address);
    }
    const barAt = (event) => bars.indexOf(document.elementFromPoint(event.clientX, event.clientY)?.closest(".bar"));

    row.addEventListener("pointerdown", (event) => {
      const place = bars.indexOf(event.target.closest(".bar"));
      if (event.button === 0 && place >= 0) begin(place);
    });
    document.addEventListener("pointermove", (event) => {
      if (first < 0 || !event.buttons) return;
      const place = barAt(event);
      if (place < 0 || place === last) return;
      last = place;
      dragged = true;
      show();
    });
    document.addEventListener("pointerup", () => {
      if (first < 0) return;
      if (dragged && first !== last) go();
      else begin(-1);
    });
    document.addEventListener("pointercancel", () => begin(-1));
    row.addEventListener("click", (event) => {
      if (dragged) event.preventDefault(); // the end of a drag is no press of the bar under it
    }, true);
    row.addEventListener("keydown", (event) => {
      const here = bars.indexOf(document.activeElement);
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (here >= 0 && step && bars[here + step]) {
        if (!event.shiftKey) first = -1;
        else if (first < 0) first = here;
        last = here + step;
        bars[last].focus();
        show();
      } else if (event.key === "Enter" && first >= 0 && first !== last) go();
      else if (event.key === "Escape" && first >= 0) begin(-1);
      else if (!(here >= 0 && step)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
})();
