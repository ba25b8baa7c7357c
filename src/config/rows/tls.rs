//! TLS: keys, certificates, protocols.

use super::reasons::{
    CLIENT_CERTIFICATES, KEYSTORE, NO_TLS, TLS_CERTIFICATES, TLS_ENGINE, TRUSTSTORE,
};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, OneOf};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static TLS: &[Setting] = rows! {
    "ssl.allow.dn.changes": Boolean = "false", Low, ReadOnly, Any, WithoutEffect(NO_TLS),
        "Whether a new key store may name another owner.";
    "ssl.allow.san.changes": Boolean = "false", Low, ReadOnly, Any, WithoutEffect(NO_TLS),
        "Whether a new key store may leave out host names of the old one.";
    "ssl.cipher.suites": List = "", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Cipher suites of TLS; all that are sound where it is empty.";
    "ssl.client.auth": String = "none",
        Medium, PerBroker, OneOf(&["required", "requested", "none"]), Refused(CLIENT_CERTIFICATES),
        "Whether clients are asked for a certificate: required, requested, none.";
    "ssl.enabled.protocols": List = "TLSv1.2,TLSv1.3",
        Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Versions of TLS that are spoken.";
    "ssl.endpoint.identification.algorithm": String = "https",
        Low, PerBroker, Any, WithoutEffect(NO_TLS),
        "How host names are checked against certificates; empty is not at all.";
    "ssl.engine.factory.class": Class = null, Low, PerBroker, Any, Refused(TLS_ENGINE),
        "Java class that makes TLS engines.";
    "ssl.key.password": Password = null, Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Password of the private key.";
    "ssl.keymanager.algorithm": String = "SunX509", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Algorithm of Java's key manager.";
    "ssl.keystore.certificate.chain": Password = null,
        Medium, PerBroker, Any, Refused(TLS_CERTIFICATES),
        "Certificates of this node, as PEM text.";
    "ssl.keystore.key": Password = null, Medium, PerBroker, Any, Refused(TLS_CERTIFICATES),
        "Private key of this node, as PEM text.";
    "ssl.keystore.location": String = null, Medium, PerBroker, Any, Refused(KEYSTORE),
        "File with the key and certificates of this node.";
    "ssl.keystore.password": Password = null, Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Password of that file.";
    "ssl.keystore.type": String = "JKS", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Format of that file: JKS, PKCS12, PEM.";
    "ssl.principal.mapping.rules": String = "DEFAULT", Low, ReadOnly, Any, WithoutEffect(NO_TLS),
        "Rules that make user names of the names in certificates.";
    "ssl.protocol": String = "TLSv1.3", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Preferred version of TLS.";
    "ssl.provider": String = null, Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Java's security provider for TLS.";
    "ssl.secure.random.implementation": String = null, Low, PerBroker, Any, WithoutEffect(NO_TLS),
        "Java's random generator for TLS.";
    "ssl.trustmanager.algorithm": String = "PKIX", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Algorithm of Java's trust manager.";
    "ssl.truststore.certificates": Password = null,
        Medium, PerBroker, Any, Refused(TLS_CERTIFICATES),
        "Certificates that are trusted, as PEM text.";
    "ssl.truststore.location": String = null, Medium, PerBroker, Any, Refused(TRUSTSTORE),
        "File with the certificates that are trusted.";
    "ssl.truststore.password": Password = null, Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Password of that file.";
    "ssl.truststore.type": String = "JKS", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "Format of that file: JKS, PKCS12, PEM.";
};
