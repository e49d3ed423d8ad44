"""What an object store's errors mean, and which connections to a bucket are refused."""

from typing import Any

import pytest
from botocore import exceptions as boto

from daybook.errors import BadSpec, DaybookError
from daybook.ftp.replies import Broken, Busy, CannotResume, NotThere
from daybook.transports.open import Stored, open_files
from daybook.transports.s3_bucket import S3Bucket
from daybook.transports.s3_errors import translated_errors

SECRET = "canary-5c1d"  # noqa: S105 - is looked for in messages


def answer(status: int, code: str = "", message: str = "", **headers: str) -> boto.ClientError:
    """Return what botocore raises for an answer."""
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return boto.ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "GetObject")


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (answer(404, "NoSuchKey"), NotThere, "the bucket has no such file"),
        (answer(404, "404", "Not Found"), NotThere, r"\(404 Not Found\)"),
        (answer(404, "NoSuchBucket"), BadSpec, "no such bucket.*mend bucket"),
        (answer(416, "InvalidRange"), CannotResume, "does not start at this byte"),
        (answer(412, "PreconditionFailed"), Broken, "no longer the file that was looked at"),
        (
            answer(400, "ExpiredToken", f"The token {SECRET} has expired."),
            BadSpec,
            r"no longer valid .*token \*\*\* has",
        ),
        (answer(403, "InvalidAccessKeyId"), BadSpec, "refuses the keys.*mend the connection's login and password"),
        (answer(403, "SignatureDoesNotMatch"), BadSpec, "refuses the keys"),
        (answer(403, "RequestTimeTooSkewed"), BadSpec, "set this machine's clock"),
        (answer(403, "AccessDenied"), BadSpec, "have the rights s3:GetObject and s3:ListBucket given"),
        (answer(403, "403", "Forbidden"), BadSpec, "does not let us"),
        (answer(403, "InvalidObjectState"), BadSpec, "lies in an archive"),
        (
            answer(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-3"}),
            BadSpec,
            "another region.*mend region_name, which is eu-west-3,",
        ),
        (
            answer(400, "AuthorizationHeaderMalformed", "expecting 'eu-west-1'"),
            BadSpec,
            "region .*expecting 'eu-west-1'",
        ),
        (answer(503, "SlowDown"), Busy, "has no room now"),
        (answer(429), Busy, r"has no room now \(429\)"),
        (answer(500, "InternalError"), Broken, "is in trouble"),
        (answer(599, "SomethingNew"), Broken, "is in trouble"),
        (answer(400, "RequestTimeout"), Broken, "is in trouble"),
        (
            answer(418, "SomethingElse", "line\r\nend\x1b"),
            BadSpec,
            r"refuses what it is asked \(SomethingElse line end",
        ),
        (boto.NoCredentialsError(), BadSpec, "no keys to log in with.*give this machine a role"),
        (boto.CredentialRetrievalError(provider="x", error_msg="y"), Broken, "machine's own keys cannot be had now"),
        (boto.ReadTimeoutError(endpoint_url="x"), Broken, "silent for longer than the time limit"),
        (boto.EndpointConnectionError(endpoint_url="x"), Broken, "the line to the object store broke"),
        (boto.ParamValidationError(report="x"), BadSpec, "the connection cannot be right"),
    ],
)
def test_an_error_means_try_again_wait_or_mend(error: Exception, kind: type[DaybookError], told: str) -> None:
    with pytest.raises(kind, match=f"^s3: f.csv: .*{told}") as raised, translated_errors("s3: f.csv", (SECRET,)):
        raise error
    assert type(raised.value) is kind
    assert SECRET not in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"user": "KEY"}, "login and password are the two keys, and one of them is missing"),
        ({"password": SECRET}, "login and password are the two keys"),
        ({"user": "KEY", "password": SECRET, "profile_name": "p"}, "keep one of them"),
        ({"aws_session_token": SECRET}, "aws_session_token belongs to a login"),
        ({"endpoint_url": "http://store"}, "without TLS others on the way can read all"),
        ({"bucket": "in/here"}, "bucket: 'in/here' is refused"),
        ({"region": "eu-west-1"}, "did you mean 'region_name'"),
        ({"aws_session_token": 12}, "aws_session_token: the secret given is refused"),
        ({"addressing_style": "host"}, "it takes 'path' or 'virtual'"),
    ],
)
def test_a_connection_that_cannot_be_right_is_refused(words: dict[str, Any], told: str) -> None:
    with pytest.raises(BadSpec, match=told) as refused:
        S3Bucket(**{"bucket": "supplier", **words})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"endpoint_url": "nonsense"}, "the connection cannot be right"),
        ({"region_name": "no region!"}, "the connection cannot be right"),
        ({"ca_file": "/none"}, "the CA file /none cannot be read"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_before_anything_is_asked(extra: dict[str, Any], told: str) -> None:
    words = {"bucket": "supplier", "endpoint_url": "https://127.0.0.1:9", **extra}
    stored = Stored("supplier", "s3", None, None, "KEY", SECRET, words, None)
    with pytest.raises(BadSpec, match=told):
        open_files(stored, 1)


def test_a_secret_is_not_shown_by_the_value() -> None:
    bucket = S3Bucket(bucket="supplier", user="KEY", password=SECRET, aws_session_token=SECRET)
    assert SECRET not in repr(bucket)
