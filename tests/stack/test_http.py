import pytest

from cta.model.errors import ServiceError
from cta.stack.http import Answer, Service, UnansweredError, UnreachableError
from tests.stack.replay import Clock, Exchange, Request, Server, answering, unused_url

OK = answering(200, {"fine": True})
LOST = Exchange("lost", Request("GET", "/"), None)


def service(url: str, patience_s: float = 0.0) -> Service:
    return Service("the oracle", url, remedy="wake it", clock=Clock(), patience_s=patience_s)


def test_an_answer_is_a_status_and_a_body_whatever_the_status() -> None:
    with Server([answering(418, {"message": "a  teapot\nindeed"})]) as server:
        answer = service(server.url).request("GET", "/")
    assert (answer.status, answer.ok, answer.complaint()) == (418, False, "HTTP 418: a teapot indeed")


def test_nothing_there_is_unreachable_with_name_address_and_remedy() -> None:
    url = unused_url()
    with pytest.raises(UnreachableError) as caught:
        service(url).request("POST", "/", body={})
    assert str(caught.value) == f"the oracle at {url}: it cannot be reached; wake it"
    assert caught.value.exit_code == 3


def test_a_get_without_an_answer_is_sent_again() -> None:
    with Server([LOST, OK]) as server:
        assert service(server.url, patience_s=1.0).request("GET", "/").json() == {"fine": True}


def test_a_post_without_an_answer_is_not_sent_again() -> None:
    """It may have been done: only the caller knows whether twice does harm."""
    with Server([LOST]) as server, pytest.raises(UnansweredError) as caught:
        service(server.url, patience_s=1.0).request("POST", "/", body={"a": 1})
    assert caught.value.what == "the connection ended before an answer"


def test_a_post_that_may_be_done_twice_is_sent_again() -> None:
    with Server([LOST, OK]) as server:
        assert service(server.url, patience_s=1.0).request("POST", "/", body={}, repeatable=True).ok


def test_patience_ends() -> None:
    """With no more than a second of patience a service that never answers is asked a few times, not for ever."""
    url, clock = unused_url(), Clock()
    with pytest.raises(UnreachableError):
        Service("it", url, remedy="", clock=clock, patience_s=1.0).request("GET", "/")
    assert clock.time_s == 1.0


def test_a_login_in_a_url_is_sent_and_never_shown() -> None:
    with Server([OK]) as server:
        shy = service(server.url.replace("://", "://user:s%40cret@"))
        shy.request("GET", "/")
    assert shy.where == f"the oracle at {server.url}"
    assert server.received[0].headers["Authorization"] == "Basic dXNlcjpzQGNyZXQ="


@pytest.mark.parametrize(
    "url",
    ["ftp://host", "http://", "http:///path", "http://host:port", "http://u:my/secret@host", "http://u:12?secret@host"],
)
def test_what_is_no_url_of_a_service_is_said_and_not_shown(url: str) -> None:
    """A password that is not quoted would be taken for a port and a path, and shown as such."""
    with pytest.raises(ServiceError, match="no URL of a service; write it as http://host:port") as caught:
        service(url)
    assert "secret" not in str(caught.value)


def test_a_refusal_without_a_remedy_of_its_own_asks_whether_it_is_the_service_at_all() -> None:
    """As where two services' URLs were mixed up."""
    with Server([answering(404, {"message": "Not Found"})]) as server:
        oracle = service(server.url)
        refused = oracle.refusal(oracle.request("GET", "/future"), doing="asking")
    assert str(refused) == (
        f"the oracle at {server.url}: asking: HTTP 404: Not Found; see its log, or check that the oracle is at that URL"
    )


def test_a_body_that_is_no_json_is_shown_as_it_is() -> None:
    """A proxy's page in front of the service, say; the beginning and the end of a long one."""
    assert Answer(502, b"<html>Bad\ngateway</html>").complaint() == "HTTP 502: <html>Bad gateway</html>"
    long = Answer(500, b"a" * 200 + b"b" * 200).complaint()
    assert long == f"HTTP 500: {'a' * 150} ... {'b' * 150}"
