"""Apicurio Registry with the Confluent API; it stores its schemas in a file next to Kafka's data."""

import http.client
import tarfile
import tempfile
from pathlib import Path

import msgspec

from connectors.local.disk_errors import explain_disk_errors
from connectors.local.ports import HOST

API = "/apis/ccompat/v7"
JAVA = 21  # the version its classes are compiled for; Kafka needs only 17


class RegistryServer(msgspec.Struct, frozen=True, kw_only=True):
    """One Apicurio on `port`, run from its unpacked archive."""

    home: Path
    port: int
    java: Path
    program: Path

    @property
    def name(self) -> str:
        return "registry"

    def prepare(self) -> None:
        (self.home / self.name / "tmp").mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        database = self.home / self.name / "schemas"
        return [
            str(self.java), "-Xmx256m", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={self.home / self.name / 'tmp'}",
            f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={self.port}", "-Dquarkus.http.access-log.enabled=false",
            # Its management port listens on every interface by default.
            f"-Dquarkus.management.host={HOST}", "-Dquarkus.management.port=0",
            "-Dapicurio.storage.kind=sql", "-Dapicurio.storage.sql.kind=h2", f"-Dapicurio.datasource.url=jdbc:h2:file:{database}",
            "-jar", str(self.program / "quarkus-run.jar"),
        ]  # fmt: skip

    def ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request("GET", f"{API}/subjects")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def unpack(archive: Path, cache: Path) -> Path:
    """Unpack the verified archive once per user; the final name never shows a half-unpacked folder."""
    target = cache / archive.name.removesuffix(".tar.gz")
    if target.is_dir():
        return target
    with explain_disk_errors(cache), tempfile.TemporaryDirectory(prefix="incoming-", dir=cache) as folder:
        with tarfile.open(archive) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", None)  # since Python 3.11.4
            tar.extractall(f"{folder}/unpacked")  # noqa: S202  its checksum is verified
        try:
            Path(folder, "unpacked").rename(target)
        except OSError:
            if not target.is_dir():  # else another process was faster
                raise
    return target
