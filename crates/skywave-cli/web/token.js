// A token that the server wants: the field for it, and what is kept of it.

/** A form of the page with one password field, and a line for what is wrong. */
export class TokenForm {
  /**
   * @param {HTMLFormElement} form hidden until the server asks
   * @param {string} kind whom the token lets in
   * @param {() => void} retry does again what was refused
   */
  constructor(form, kind, retry) {
    this.form = form;
    this.key = `skywave.${kind}`;
    this.input = form.querySelector('input');
    this.reply = form.querySelector('[role="alert"]');
    this.token = read(this.key);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.take(this.input.value.trim(), retry);
    });
  }

  /** What a request shows; nothing while there is no token. */
  get headers() {
    return this.token ? { authorization: `Bearer ${this.token}` } : {};
  }

  /** Asks for a token, as the server refused a request that had `shown` as headers. */
  ask(shown) {
    // Another token was given meanwhile, or the form is in sight already.
    if (shown.authorization !== this.headers.authorization) return;
    if (!this.token && !this.form.hidden) return;
    this.reply.textContent = this.token ? WRONG : '';
    this.keep(null);
    this.form.hidden = false;
  }

  focus() {
    this.input.focus();
  }

  /** The server let the token pass, or does not want one. */
  hide() {
    this.form.hidden = true;
    this.input.value = '';
    this.reply.textContent = '';
  }

  take(token, retry) {
    this.input.value = '';
    if (!SENDABLE.test(token)) {
      this.reply.textContent = WRONG;
      return;
    }
    this.keep(token);
    this.reply.textContent = '';
    retry();
  }

  keep(token) {
    this.token = token;
    try {
      if (token) sessionStorage.setItem(this.key, token);
      else sessionStorage.removeItem(this.key);
    } catch {
      // Without storage it lasts until the page is loaded again.
    }
  }
}

function read(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

/** What can stand in the header (RFC 6750 §2.1). */
const SENDABLE = /^[A-Za-z0-9._~+/=-]+$/;
const WRONG = 'That token is not the right one.';
