"""A real broker as companies run it: TLS with an authority of its own, passwords, and an authorizer that refuses what no rule allows."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)  # fmt: skip
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from connectors.kafka.settings import KafkaSettings
from connectors.local import temporary_stack
from connectors.local.ports import HOST, free
from schemas.tenancy import Secret
from streams.ops.access_rights import BrokerResource, ProcessUser, rights

PASSWORD = "open-sesame"
_KINDS = {
    BrokerResource.TOPIC: ResourceType.TOPIC, BrokerResource.GROUP: ResourceType.GROUP,
    BrokerResource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
}  # fmt: skip


class SecuredCluster(msgspec.Struct, frozen=True):
    """A broker with two listeners: one without any protection for the test itself, who may do everything, and one as a company's."""

    open: KafkaSettings
    secured: KafkaSettings

    def as_user(self, user: str, **changes: object) -> KafkaSettings:
        """Return the settings of a process that connects as that user."""
        return msgspec.structs.replace(self.secured, username=user, password=Secret(PASSWORD), **changes)

    def allow(self, user: ProcessUser) -> None:
        """Create the ACLs of the table for a user."""
        admin = AdminClient({"bootstrap.servers": self.open.bootstrap})
        bindings = list(self._bindings(user))
        for future in admin.create_acls(bindings).values():
            future.result(30)

    def _bindings(self, user: ProcessUser) -> Iterable[AclBinding]:
        for right in rights(user):
            pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
            for operation in right.operations:
                yield AclBinding(
                    _KINDS[right.resource], f"{self.open.topic_prefix}{right.name}", pattern, f"User:{user}", "*",
                    AclOperation[_upper(operation)], AclPermissionType.ALLOW,
                )  # fmt: skip

    def add_scram_user(self, user: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.open.bootstrap})
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        for future in admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, info, PASSWORD.encode())]).values():
            future.result(30)


@contextmanager
def secured_cluster(folder: Path, prefix: str) -> Iterator[SecuredCluster]:
    """Start the broker; certificates and its authority's are in the folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    port = free(set())
    with temporary_stack(settings=_settings(port, folder, authority)) as stack:
        plain = KafkaSettings(bootstrap=stack.addresses.kafka, topic_prefix=prefix, partitions=1)
        secured = msgspec.structs.replace(
            plain, bootstrap=f"{HOST}:{port}", security_protocol="SASL_SSL", ssl_cafile=str(folder / "ca.pem"),
        )  # fmt: skip
        yield SecuredCluster(plain, secured)


def _settings(port: int, folder: Path, authority: trustme.CA) -> dict[str, str]:
    users = " ".join(f'user_{user}="{PASSWORD}"' for user in ProcessUser)
    listener = f"SASL_SSL://{HOST}:{port}"
    return {
        "listeners": f"{{listeners}},{listener}",
        "advertised.listeners": f"{{advertised.listeners}},{listener}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(_keystore(folder, authority)),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
    }


def _keystore(folder: Path, authority: trustme.CA) -> Path:
    """Write the broker's key and certificates as Kafka takes them: the key in PKCS 8."""
    certificate = authority.issue_cert(HOST)
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    path = folder / "broker.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + b"".join(each.bytes() for each in certificate.cert_chain_pems)
    )
    return path


def _upper(operation: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in operation).removeprefix("_")
