// What every page can do: theme, keys, popovers, dialogs, toasts, rows, forms of many ticks.
// Works on attributes only (data-key, data-pop, data-dialog, …), so parts swapped in by htmx need no set-up.
// Never writes words of its own: every sentence comes from the page, in the reader's language.
"use strict";

(() => {
  const root = document.documentElement;
  const typing = (target) =>
    Boolean(target?.closest?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])"));
  const shown = (element) => element.checkVisibility() && !element.disabled;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // ---- theme: light, dark, as the device ---------------------------------------------------------
  function labelTheme() {
    const theme = window.office.theme();
    for (const button of all("[data-theme-switch]")) {
      for (const shape of all("[data-theme-icon]", button)) shape.hidden = shape.dataset.themeIcon !== theme;
      button.title = button.dataset[theme];
    }
  }
  function nextTheme() {
    const order = ["light", "dark", "auto"];
    window.office.setTheme(order[(order.indexOf(window.office.theme()) + 1) % order.length]);
    labelTheme();
  }

  // ---- popovers: one open at a time, Esc and a click elsewhere close, focus goes back -----------------
  const popOf = (button) => document.getElementById(button.getAttribute("aria-controls"));
  function setPop(button, open) {
    popOf(button).hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  }
  function closePops(except) {
    let closed = null;
    for (const button of all('[data-pop][aria-expanded="true"]')) {
      if (button === except) continue;
      setPop(button, false);
      closed = button;
    }
    return closed;
  }

  // ---- dialogs: the browser's own, so focus is trapped and given back ---------------------------------
  function openDialog(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    closePops();
    dialog.showModal();
    dialog.querySelector("[autofocus], textarea, input:not([type=hidden])")?.focus();
  }

  // ---- toasts ------------------------------------------------------------------------------------------
  const tray = () => document.getElementById("toasts");
  function picture(kind) {
    const kept = document.getElementById("toast-icons")?.content.querySelector(`[data-kind="${kind}"] svg`);
    return kept ? kept.cloneNode(true) : "";
  }
  function toast(kind, text) {
    const box = document.createElement("div");
    box.className = kind ? `note note-${kind}` : "note";
    box.setAttribute("role", kind === "bad" ? "alert" : "status");
    box.dataset.toast = kind === "bad" ? "stay" : "6";
    const words = document.createElement("p");
    words.textContent = text;
    const close = document.createElement("button");
    close.className = "btn-icon-plain push";
    close.type = "button";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", tray().dataset.close);
    close.append(picture("x"));
    box.append(picture(kind), words, close);
    tray().append(box);
    startToasts();
  }
  function startToasts() {
    for (const box of all("[data-toast]:not([data-started])")) {
      box.dataset.started = "";
      if (box.dataset.toast !== "stay") setTimeout(() => box.remove(), 1000 * Number(box.dataset.toast));
    }
  }

  // ---- rows: J, K, X, Enter; a click anywhere on a row follows its link --------------------------------
  const rowsOf = () => all("[data-rows] tbody tr, [data-rows] > li, [data-rows] > article, [data-row]").filter(shown);
  const linkOf = (row) => row.querySelector(".wide a[href], h3 a[href], a[href]");
  function step(by) {
    const rows = rowsOf();
    if (!rows.length) return false;
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + by))];
    (linkOf(next) ?? next.querySelector("input, button"))?.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }
  function tick() {
    const box = document.activeElement?.closest("[data-row], [data-rows] tr, [data-rows] > *")?.querySelector("input[type=checkbox]");
    box?.click();
    return Boolean(box);
  }
  function followRow(event) {
    const row = event.target.closest("[data-rows] tbody tr, tr[data-row]");
    if (!row || event.target.closest("a, button, input, select, label, summary") || String(getSelection())) return;
    linkOf(row)?.click();
  }

  // ---- many ticks: the bar appears with its count ------------------------------------------------------
  function countTicks(form) {
    const boxes = all("tbody input[type=checkbox], [data-tick]", form);
    const ticked = boxes.filter((box) => box.checked).length;
    for (const bar of all("[data-bulk-bar]", form)) bar.hidden = ticked === 0;
    for (const place of all("[data-bulk-count]", form)) place.textContent = String(ticked);
    const whole = form.querySelector("[data-tick-all]");
    if (whole) {
      whole.checked = ticked > 0 && ticked === boxes.length;
      whole.indeterminate = ticked > 0 && ticked < boxes.length;
    }
  }

  // ---- keys: only what is printed on the page, nothing single while text is typed ----------------------
  const lettersOn = () => {
    try {
      return localStorage.getItem("letters") !== "off";
    } catch {
      return true;
    }
  };
  function nameOf(event) {
    const key = event.key === " " ? "space" : event.key.toLowerCase();
    return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${key}`;
  }
  let chord = 0; // until when a letter after G belongs to it
  function actOn(name) {
    const target = all(`[data-key="${CSS.escape(name)}"]`).find(
      (element) => shown(element) || element.closest(".rail"),
    );
    if (!target) return false;
    if (typing(target)) {
      target.focus();
      target.select?.();
    } else target.click();
    return true;
  }
  function onLetter(name) {
    if (name === "?") return openDialog("keys") ?? true;
    if (Date.now() < chord) {
      chord = 0;
      return actOn(`g ${name}`);
    }
    if (name === "j") return step(1);
    if (name === "k") return step(-1);
    if (name === "x" && tick()) return true;
    if (actOn(name)) return true;
    if (name === "g") chord = Date.now() + 1200;
    return false;
  }
  function onKey(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const name = nameOf(event);
    if (name === "escape") {
      const button = closePops();
      if (button) button.focus();
      else if (typing(event.target) && !event.target.closest("dialog, [data-desk]")) event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]") && name !== "ctrl+enter") return;
    if (name === "ctrl+enter") {
      const within = document.querySelector("dialog[open]") ?? document;
      const main = all('[data-key="ctrl+enter"]', within).find(shown); // a closed dialog has one too
      if (main) {
        event.preventDefault();
        main.click();
      }
      return;
    }
    if (name.includes("+") && name.length > 1) {
      if (actOn(name)) event.preventDefault();
      return;
    }
    if (name.startsWith("arrow") && event.target.closest("input, [role=tablist], [data-paper]")) return;
    if (typing(event.target) || (event.key.length === 1 && name !== "/" && !lettersOn())) return;
    if (onLetter(name)) event.preventDefault();
  }

  // ---- days typed as an office types them: 23112026, 23/11, 23.11.26 ------------------------------------
  function wholeDay(text) {
    const parts = text.trim().match(/^(\d{1,2})[./\- ]?(\d{1,2})(?:[./\- ]?(\d{2}|\d{4}))?$/);
    if (!parts) return text;
    const year = parts[3] ?? String(new Date().getFullYear());
    return `${parts[1].padStart(2, "0")}/${parts[2].padStart(2, "0")}/${year.length === 2 ? `20${year}` : year}`;
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      if (button.dataset.done) toast("good", button.dataset.done);
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.from) ?? button);
    }
  }

  // ---- one listener per kind of event ------------------------------------------------------------------
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest(selector);
    const pop = on("[data-pop]");
    if (pop) setPop(pop, popOf(pop).hidden);
    if (!on(".pop")) closePops(pop);
    if (on("[data-theme-switch]")) nextTheme();
    if (on("[data-dialog]")) openDialog(on("[data-dialog]").dataset.dialog);
    if (on("[data-close]")) on("dialog")?.close();
    if (on("[data-dismiss]")) on("[data-toast], .note").remove();
    if (on("[data-copy]")) copy(on("[data-copy]"));
    if (on("[data-print]")) print();
    const fill = on("[data-fill]");
    if (fill) {
      document.getElementById(fill.dataset.fillIn).value = fill.dataset.fill;
      document.getElementById(fill.dataset.then)?.focus();
    }
    followRow(event);
  });
  document.addEventListener("change", (event) => {
    const whole = event.target.closest("[data-tick-all]");
    const form = event.target.closest("[data-bulk]");
    if (whole && form) for (const box of all("tbody input[type=checkbox], [data-tick]", form)) box.checked = whole.checked;
    if (form) countTicks(form);
    if (event.target.matches("[data-letters]")) {
      try {
        localStorage.setItem("letters", event.target.checked ? "on" : "off");
      } catch {
        // then it holds for this page only
      }
    }
    if (event.target.matches("[data-day]")) event.target.value = wholeDay(event.target.value);
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  // A form is sent once: a second press while the first is on its way would take a second number.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("method")?.toLowerCase() !== "post" || form.hasAttribute("data-upload") || event.defaultPrevented) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 4000);
  });
  window.addEventListener("pageshow", () => {
    for (const form of all("form[data-sent]")) delete form.dataset.sent;
  });

  // ---- htmx: say what failed; after a swap the focus goes to the first error or the new heading ----------
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answered = event.detail.xhr.responseURL;
    if (!answered || new URL(answered).pathname !== tray().dataset.signIn) return;
    event.detail.shouldSwap = false; // the session ended: a sign-in page must not land inside a part of this one
    toast("bad", tray().dataset.signedOut);
  });
  document.addEventListener("htmx:sendError", () => toast("bad", tray().dataset.lost));
  document.addEventListener("htmx:responseError", (event) => {
    const words = tray().dataset;
    const status = event.detail.xhr.status;
    toast("bad", status === 401 ? words.signedOut : status === 403 || status === 404 ? words.refused : words.failed);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    startToasts();
    for (const form of all("[data-bulk]")) countTicks(form);
    if (event.detail.target?.hasAttribute?.("data-quiet")) return; // polled parts must not steal the focus
    const first = event.detail.target?.querySelector?.("[aria-invalid=true], .is-invalid, [data-focus]");
    first?.focus();
  });
  document.addEventListener("toast", (event) => toast(event.detail.kind ?? "good", event.detail.text));

  window.office.toast = toast;
  window.office.typing = typing;
  root.classList.add("js");
  labelTheme();
  startToasts();
  for (const form of all("[data-bulk]")) countTicks(form);
  for (const box of all("[data-letters]")) box.checked = lettersOn();
  for (const said of all("[name=at_once]")) said.disabled = false; // the page that answers a question can name its address
})();
