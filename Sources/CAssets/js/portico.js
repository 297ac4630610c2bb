// Everything here is an enhancement: each form works without it.
"use strict";

// A password that can be looked at, and a word when Caps Lock is on.
for (const field of document.querySelectorAll("[data-password]")) {
    const input = field.querySelector("input");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reveal";
    button.setAttribute("aria-controls", input.id);

    const reveal = (shown) => {
        input.type = shown ? "text" : "password";
        button.setAttribute("aria-label", shown ? field.dataset.hide : field.dataset.show);
        button.classList.toggle("reveal-on", shown);
    };
    reveal(false);
    button.addEventListener("click", () => {
        reveal(input.type === "password");
        input.focus();
    });
    input.after(button);
    field.classList.add("has-reveal");

    // A browser offers to keep only what leaves the page as a password.
    input.form.addEventListener("submit", () => reveal(false));

    const hint = document.createElement("p");
    hint.className = "hint";
    hint.setAttribute("role", "status");
    field.after(hint);
    const warn = (event) => {
        const on = typeof event.getModifierState === "function" && event.getModifierState("CapsLock");
        hint.textContent = on ? field.dataset.capsLock : "";
    };
    input.addEventListener("keydown", warn);
    input.addEventListener("keyup", warn);
    input.addEventListener("blur", () => { hint.textContent = ""; });
}

// One click sends one request. The button is not disabled: it would leave its own value out of the form.
for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
        if (form.dataset.sent) return event.preventDefault();
        form.dataset.sent = "true";
        (event.submitter ?? form.querySelector("[type=submit]")).setAttribute("aria-busy", "true");
    });
}

// A page that comes back from the browser's memory is ready again.
window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});
