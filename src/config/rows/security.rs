//! Who may do what: authorizer, principals, delegation tokens.

use super::reasons::{AUTHORIZER, DELEGATION_TOKENS, JAVA, NO_SASL, NOT_YET, PRINCIPAL_BUILDER};
use crate::config::setting::Class::{Implemented, Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, OneOf};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static SECURITY: &[Setting] = rows! {
    "authorizer.class.name": String = "", Low, ReadOnly, Any, Refused(AUTHORIZER),
        "";
    "connections.max.reauth.ms": Long = "0", Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "delegation.token.expiry.check.interval.ms": Long = "3600000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "delegation.token.expiry.time.ms": Long = "86400000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "delegation.token.max.lifetime.ms": Long = "604800000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "delegation.token.secret.key": Password = null,
        Medium, ReadOnly, Any, Refused(DELEGATION_TOKENS),
        "";
    "principal.builder.class": Class = "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
        Medium, PerBroker, Any, Refused(PRINCIPAL_BUILDER),
        "";
    "security.inter.broker.protocol": String = "PLAINTEXT",
        Medium, ReadOnly, OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]), Implemented,
        "";
    "security.providers": String = null, Low, ReadOnly, Any, WithoutEffect(JAVA),
        "";
};
