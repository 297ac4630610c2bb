// Tells the authorization response to the window that opened or framed this one, if that is the application's
// (OAuth 2.0 Web Message Response Mode). The browser compares the origin.
const form = document.querySelector("form[data-web-message]");
const receiver = window.opener ?? (window.parent === window ? null : window.parent);
if (form && receiver) {
    const response = {};
    for (const input of form.querySelectorAll("input")) {
        response[input.name] = input.name === "expires_in" ? Number(input.value) : input.value;
    }
    receiver.postMessage({ type: "authorization_response", response }, form.dataset.webMessage);
}
