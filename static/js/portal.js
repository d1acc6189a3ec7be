/* Progressive enhancement for every portal page. Nothing here is needed to use the bank. */
"use strict";

(() => {
  const root = document.documentElement;
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

  /* Theme: the choice lives in a cookie, so the server renders the right theme and nothing flashes. */
  const currentTheme = () => root.dataset.theme || (prefersDark.matches ? "dark" : "light");

  /* Error pages are rendered without the request, so they learn the choice here. */
  const kept = /(?:^|; )theme=(light|dark)(?:;|$)/.exec(document.cookie);
  if (kept) root.dataset.theme = kept[1];

  const paintSwitches = () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      button.setAttribute("aria-pressed", String(currentTheme() === "dark"));
    }
  };

  const chooseTheme = (theme) => {
    const secure = window.location.protocol === "https:" ? "; Secure" : "";
    root.dataset.theme = theme;
    document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    paintSwitches();
    document.dispatchEvent(new CustomEvent("portal:theme"));
  };

  prefersDark.addEventListener("change", () => {
    paintSwitches();
    document.dispatchEvent(new CustomEvent("portal:theme"));
  });

  /* News for people who look and for people who listen. */
  const toast = (text) => {
    const region = document.getElementById("toasts");
    if (!region) return;
    const note = document.createElement("p");
    note.className = "toast";
    note.textContent = text;
    region.replaceChildren(note);
    window.setTimeout(() => note.remove(), 5000);
  };

  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      toast("Copied");
    } catch {
      toast("Copying is not allowed here. Select the text instead.");
    }
  };

  /* A form is sent once: the second click on a busy button does nothing. */
  const markBusy = (form, submitter) => {
    form.dataset.busy = "true";
    const button = submitter || form.querySelector('button[type="submit"], button:not([type])');
    button?.setAttribute("aria-busy", "true");
  };

  const clearBusy = (scope) => {
    for (const form of scope.querySelectorAll("form[data-busy]")) delete form.dataset.busy;
    for (const button of scope.querySelectorAll('button[aria-busy="true"]')) button.removeAttribute("aria-busy");
  };

  const fileSize = (bytes) =>
    bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;

  const describeFiles = (input) => {
    const title = input.closest("[data-drop]")?.querySelector("[data-drop-title]");
    if (!title) return;
    title.dataset.empty ??= title.textContent;
    const chosen = Array.from(input.files, (file) => `${file.name} (${fileSize(file.size)})`);
    title.textContent = chosen.length ? chosen.join(", ") : title.dataset.empty;
  };

  /* Elements that only work with JavaScript are hidden in the markup and appear here. */
  const enhance = (scope) => {
    for (const button of scope.querySelectorAll("[data-dismiss], [data-copy], [data-print]")) button.hidden = false;
    scope.querySelector("[data-error-summary]")?.focus();
    paintSwitches();
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    if (target.closest("[data-theme-switch]")) chooseTheme(currentTheme() === "dark" ? "light" : "dark");
    target.closest("[data-dismiss]")?.closest(".alert")?.remove();
    const copyButton = target.closest("[data-copy]");
    if (copyButton) copy(copyButton);
    if (target.closest("[data-print]")) window.print();
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.busy) {
      event.preventDefault();
      return;
    }
    if (form.method === "post" && !event.defaultPrevented) markBusy(form, event.submitter);
  });

  document.addEventListener("change", (event) => {
    if (event.target.type === "file") describeFiles(event.target);
    if (event.target.closest("[data-autosubmit]")) event.target.form?.requestSubmit();
  });

  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => {
      event.target instanceof Element && event.target.closest("[data-drop]")?.classList.toggle("is-over", over);
    });
  }

  /* Coming back with the browser's back button must not find a button that is busy for ever. */
  window.addEventListener("pageshow", () => clearBusy(document));
  document.addEventListener("htmx:afterRequest", () => clearBusy(document));
  document.addEventListener("htmx:load", (event) => enhance(event.target));
  document.addEventListener("htmx:responseError", () => toast("That did not work. Reload the page and try again."));
  document.addEventListener("htmx:sendError", () => toast("The bank cannot be reached. Check your connection."));

  enhance(document);
})();
