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
        "";
    "ssl.allow.san.changes": Boolean = "false", Low, ReadOnly, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.cipher.suites": List = "", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.client.auth": String = "none",
        Medium, PerBroker, OneOf(&["required", "requested", "none"]), Refused(CLIENT_CERTIFICATES),
        "";
    "ssl.enabled.protocols": List = "TLSv1.2,TLSv1.3",
        Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.endpoint.identification.algorithm": String = "https",
        Low, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.engine.factory.class": Class = null, Low, PerBroker, Any, Refused(TLS_ENGINE),
        "";
    "ssl.key.password": Password = null, Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.keymanager.algorithm": String = "SunX509", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.keystore.certificate.chain": Password = null,
        Medium, PerBroker, Any, Refused(TLS_CERTIFICATES),
        "";
    "ssl.keystore.key": Password = null, Medium, PerBroker, Any, Refused(TLS_CERTIFICATES),
        "";
    "ssl.keystore.location": String = null, Medium, PerBroker, Any, Refused(KEYSTORE),
        "";
    "ssl.keystore.password": Password = null, Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.keystore.type": String = "JKS", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.principal.mapping.rules": String = "DEFAULT", Low, ReadOnly, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.protocol": String = "TLSv1.3", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.provider": String = null, Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.secure.random.implementation": String = null, Low, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.trustmanager.algorithm": String = "PKIX", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.truststore.certificates": Password = null,
        Medium, PerBroker, Any, Refused(TLS_CERTIFICATES),
        "";
    "ssl.truststore.location": String = null, Medium, PerBroker, Any, Refused(TRUSTSTORE),
        "";
    "ssl.truststore.password": Password = null, Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
    "ssl.truststore.type": String = "JKS", Medium, PerBroker, Any, WithoutEffect(NO_TLS),
        "";
};
