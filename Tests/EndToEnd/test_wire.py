"""Whatever arrives on the port, the server answers it or hangs up, and goes on."""

import socket
from collections.abc import Iterator

import pytest
import requests

from support.portico import Portico

FORM = (
    b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)


@pytest.fixture(autouse=True)
def still_well(portico: Portico) -> Iterator[None]:
    """After each of these requests the server answers the next one."""
    yield
    assert requests.get(f"{portico.issuer}readyz", timeout=60).status_code == 200


def send(portico: Portico, *parts: bytes) -> bytes:
    """Sends bytes as they are, and returns what comes back until the server hangs up."""
    answer = b""
    with socket.create_connection(("127.0.0.1", portico.port), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            # The server has stopped listening to a request that it refuses.
            pass
    return answer


@pytest.mark.parametrize(
    "request_",
    [b"garbage\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET  HTTP/9.9\r\n\r\n", b"\x00" * 4096],
    ids=["words", "a TLS greeting", "another protocol", "zeros"])
def test_what_is_no_request_is_refused(portico: Portico, request_: bytes) -> None:
    assert send(portico, request_)[:12] in (b"", b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "request_",
    [b"GET /authorize?x=" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
     b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n"],
    ids=["address", "header"])
def test_what_is_too_long_is_refused(portico: Portico, request_: bytes) -> None:
    assert send(portico, request_)[:10] in (b"", b"HTTP/1.1 4")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(portico: Portico) -> None:
    announced = FORM + b"Content-Length: 1000000000\r\n\r\n"
    assert b'"error":"invalid_request"' in send(portico, announced, b"a=b&" * 50_000)


def test_a_body_without_a_length_is_read(portico: Portico) -> None:
    body = b"Transfer-Encoding: chunked\r\n\r\n1d\r\ngrant_type=client_credentials\r\n0\r\n\r\n"
    assert b'"error":"invalid_client"' in send(portico, FORM, body)


def test_a_body_that_ends_too_early_is_given_up(portico: Portico) -> None:
    assert b" 200 " not in send(portico, FORM + b"Content-Length: 500\r\n\r\n", b"grant_type=client_credentials")


def test_requests_in_one_packet_are_answered_in_their_order(portico: Portico) -> None:
    first = b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    second = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = send(portico, first + second)
    assert answer.count(b"HTTP/1.1 200 OK") == 2 and answer.index(b'"keys"') < answer.index(b"ready\n")
