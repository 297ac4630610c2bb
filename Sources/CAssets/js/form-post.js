// Sends the authorization response to the application (OAuth 2.0 Form Post Response Mode §2).
// A parameter may be called "submit" and hide the form's own method, hence the prototype's.
const form = document.querySelector("form[data-auto-submit]");
if (form) HTMLFormElement.prototype.submit.call(form);
