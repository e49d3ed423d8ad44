"""The meaning of what an object store answers, or of a broken line: try again, wait, or ask a person to mend it.

The codes: Amazon S3's API reference, "Error responses". Others that speak S3's API have the same. The answer to a HEAD
has no code, only a status.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto
from urllib3.exceptions import HTTPError

from daybook.errors import BadSpec, DaybookError
from daybook.ftp.replies import Broken, Busy, CannotResume, NotThere, printable

CERTIFICATE = (
    "the server's certificate is refused ({said}); no key was sent; have the certificate mended, or name the CA's file "
    "in the connection's extra, as ca_file"
)
# By codes of errors and statuses of answers. The first that names a code or a status wins, and codes come first.
MEANINGS: tuple[tuple[str, type[DaybookError], str], ...] = (
    ("NoSuchKey", NotThere, "the bucket has no such file ({said})"),
    (
        "NoSuchBucket",
        BadSpec,
        "there is no such bucket ({said}); nothing was copied; mend bucket, or endpoint_url, in the connection's extra",
    ),
    ("InvalidRange", CannotResume, "the object store does not start at this byte ({said})"),
    # The next try looks at it again, and says what it was and is.
    ("PreconditionFailed 412", Broken, "it is no longer the file that was looked at ({said})"),
    (
        "ExpiredToken ExpiredTokenException TokenRefreshRequired RequestExpired",
        BadSpec,
        "the keys are no longer valid ({said}); not tried again; give the connection new ones: login, password and "
        "aws_session_token in its extra",
    ),
    (
        "InvalidAccessKeyId SignatureDoesNotMatch InvalidToken InvalidClientTokenId UnrecognizedClientException "
        "AuthFailure NotSignedUp AccountProblem 401",
        BadSpec,
        "the object store refuses the keys ({said}); not tried again; mend the connection's login and password, and "
        "aws_session_token in its extra if the keys are temporary",
    ),
    (
        "RequestTimeTooSkewed",
        BadSpec,
        "the clocks of this machine and of the object store differ too much ({said}); not tried again; set this "
        "machine's clock",
    ),
    (
        "PermanentRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException 301",
        BadSpec,
        "the bucket lies in another region ({said}); nothing was copied; mend region_name{region} in the connection's "
        "extra",
    ),
    (
        "InvalidObjectState",
        BadSpec,
        "the file lies in an archive, which gives nothing at once ({said}); not tried again; have it restored, or kept "
        "in another storage class",
    ),
    (
        "AccessDenied AllAccessDisabled 403",
        BadSpec,
        "the object store does not let us, or has no such file: without the right to list the bucket it does not say "
        "which ({said}); not tried again; have the rights {rights} given to the connection's keys",
    ),
    (
        "SlowDown Throttling ThrottlingException ThrottledException RequestThrottled RequestLimitExceeded "
        "TooManyRequestsException ServiceUnavailable 429 503",
        Busy,
        "the object store has no room now ({said})",
    ),
    (
        "RequestTimeout InternalError OperationAborted BadDigest TemporaryRedirect IncompleteBody 307 408 409 500 502 "
        "504",
        Broken,
        "the object store is in trouble ({said})",
    ),
    ("404", NotThere, "the bucket has no such file ({said})"),
)
REFUSED = (
    "the object store refuses what it is asked ({said}); not tried again; mend the path in the spec, or the connection"
)
# What the machine's own service of keys answers may be right at the next try.
AWAY = (boto.MetadataRetrievalError, boto.CredentialRetrievalError)
NO_KEYS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound)
WORDS = (boto.ParamValidationError, boto.InvalidRegionError, boto.UnsupportedS3ConfigurationError)
RIGHTS_TO_READ = "s3:GetObject and s3:ListBucket"
RIGHTS_TO_WRITE = "s3:PutObject and s3:DeleteObject"


def code_of(error: boto.ClientError) -> str:
    """Return the code of an error, or its status if the answer has no code."""
    return str(error.response.get("Error", {}).get("Code") or status_of(error))


def status_of(error: boto.ClientError) -> str:
    """Return the status of the answer, such as "404"."""
    return str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))


@contextmanager
def translated_errors(where: str, secrets: tuple[str, ...] = (), rights: str = RIGHTS_TO_READ) -> Iterator[None]:
    """Translate the errors of botocore and the network into ours, by what to do next.

    where: the start of messages. secrets: are removed from the server's words. rights: what a refusal asks for.
    """
    try:
        yield
    except boto.ClientError as error:
        raise _of_answer(where, error, secrets, rights) from None
    except (boto.BotoCoreError, HTTPError) as error:
        raise _of_line(where, error, secrets) from None


def _of_answer(where: str, error: boto.ClientError, secrets: tuple[str, ...], rights: str) -> DaybookError:
    answer, code, status = error.response.get("Error", {}), code_of(error), status_of(error)
    said = _without(f"{code} {answer.get('Message') or ''}".rstrip(), secrets)
    region = _region(error)
    for known in (code, status):
        for codes, kind, advice in MEANINGS:
            if known in codes.split():
                return kind(f"{where}: {advice.format(said=said, rights=rights, region=region)}")
    if status.startswith("5"):
        return Broken(f"{where}: the object store is in trouble ({said})")
    return BadSpec(f"{where}: {REFUSED.format(said=said)}")


def _region(error: boto.ClientError) -> str:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    found = headers.get("x-amz-bucket-region") or error.response.get("Error", {}).get("Region")
    return f", which is {printable(found)}," if found else ""


def _of_line(where: str, error: Exception, secrets: tuple[str, ...]) -> DaybookError:
    said = _without(str(error), secrets)
    if isinstance(error, NO_KEYS):
        return BadSpec(
            f"{where}: there are no keys to log in with ({said}); not tried again; give the connection a login and a "
            "password, or give this machine a role"
        )
    if isinstance(error, WORDS):
        return BadSpec(f"{where}: the connection cannot be right ({said}); nothing was copied; mend its extra")
    if isinstance(error, boto.ConnectTimeoutError | boto.ReadTimeoutError):
        return Broken(f"{where}: the object store was silent for longer than the time limit")
    if refused := _refused_certificate(error):
        return BadSpec(f"{where}: {CERTIFICATE.format(said=printable(refused.verify_message))}")
    if isinstance(error, AWAY):
        return Broken(f"{where}: the machine's own keys cannot be had now ({said})")
    return Broken(f"{where}: the line to the object store broke ({type(error).__name__}: {said})")


def _refused_certificate(error: BaseException) -> ssl.SSLCertVerificationError | None:
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause if isinstance(cause, ssl.SSLCertVerificationError) else None


def _without(words: str, secrets: tuple[str, ...]) -> str:
    for secret in filter(None, secrets):
        words = words.replace(secret, "***")
    return printable(words)
