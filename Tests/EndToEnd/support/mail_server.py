"""A mail server: it keeps what it takes, and refuses as it is told to."""

import asyncio
import email
import email.message
import email.policy
import queue
import ssl
import threading
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from .certificates import Pair

USER, PASSWORD = "mailer", "mail-password-of-the-tests"


class MailServer:
    """Listens on a port of its own until it is stopped; `secure` is None, "starttls" or "tls"."""

    def __init__(
        self, folder: Path, secure: str | None = None, pair: Pair | None = None, needs_password: bool = False
    ):
        self.taken: queue.Queue[tuple[Envelope, email.message.EmailMessage]] = queue.Queue()
        self.refusals = 0
        self.refused = 0
        context = _context(folder, pair) if pair else None
        loop = self._loop = asyncio.new_event_loop()

        def session() -> SMTP:
            return SMTP(
                self, loop=loop, hostname="localhost", enable_SMTPUTF8=True,
                tls_context=context if secure == "starttls" else None, require_starttls=secure == "starttls",
                auth_required=needs_password, auth_require_tls=secure == "starttls",
                authenticator=self._authenticate if needs_password else None)

        # In its own thread from the start: the test's has a loop of the browser's.
        self._thread = threading.Thread(target=loop.run_forever, daemon=True)
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            loop.create_server(session, "127.0.0.1", 0, ssl=context if secure == "tls" else None), loop).result(30)
        self.port = server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def next(self) -> tuple[Envelope, email.message.EmailMessage]:
        """The next mail, which is on its way."""
        return self.taken.get(timeout=60)

    @staticmethod
    def _authenticate(server, session, envelope, mechanism, data) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(), PASSWORD.encode())
        # Whoever is refused is told so by the server.
        return AuthResult(success=is_right, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusals > 0:
            self.refusals -= 1
            self.refused += 1
            return "451 4.3.0 Try again later"
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self.taken.put((envelope, email.message_from_bytes(content, policy=email.policy.default)))
        return "250 OK"


def _context(folder: Path, pair: Pair) -> ssl.SSLContext:
    file = folder / "mail-server.pem"
    file.write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
