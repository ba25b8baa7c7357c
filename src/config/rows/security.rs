//! Who may do what: authorizer, principals, delegation tokens.

use super::reasons::{AUTHORIZER, DELEGATION_TOKENS, JAVA, NO_SASL, NOT_YET, PRINCIPAL_BUILDER};
use crate::config::setting::Class::{Implemented, Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, OneOf};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static SECURITY: &[Setting] = rows! {
    "authorizer.class.name": String = "", Low, ReadOnly, Any, Refused(AUTHORIZER),
        "Java class that decides who may do what; nobody is asked where it is empty.";
    "connections.max.reauth.ms": Long = "0", Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Time after which a SASL client must log in again; 0 is never.";
    "delegation.token.expiry.check.interval.ms": Long = "3600000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How often expired delegation tokens are removed.";
    "delegation.token.expiry.time.ms": Long = "86400000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Time after which a delegation token must be renewed.";
    "delegation.token.max.lifetime.ms": Long = "604800000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Time after which a delegation token cannot be renewed any more.";
    "delegation.token.secret.key": Password = null,
        Medium, ReadOnly, Any, Refused(DELEGATION_TOKENS),
        "The secret that signs delegation tokens, the same on all nodes.";
    "principal.builder.class": Class = "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
        Medium, PerBroker, Any, Refused(PRINCIPAL_BUILDER),
        "Java class that names who is at the other end of a connection.";
    "security.inter.broker.protocol": String = "PLAINTEXT",
        Medium, ReadOnly, OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]), Implemented,
        "Security protocol between brokers, where no listener is named for it.";
    "security.providers": String = null, Low, ReadOnly, Any, WithoutEffect(JAVA),
        "Java classes that provide cryptography.";
};
