// Goes on as soon as every application's frame has loaded, or after four seconds; without JavaScript the page's own
// refresh does so a second later.
const next = document.querySelector("a[data-continue]");
if (next) {
    const go = () => location.replace(next.href);
    if (document.readyState === "complete") go();
    else {
        window.addEventListener("load", go, { once: true });
        setTimeout(go, 4000);
    }
}
