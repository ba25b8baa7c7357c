//! SASL by OAuth bearer tokens.

use super::reasons::NO_SASL;
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::{Any, Between, OneOfIgnoringCase};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static OAUTH: &[Setting] = rows! {
    "sasl.oauthbearer.assertion.algorithm": String = "RS256",
        Medium, ReadOnly, OneOfIgnoringCase(&["ES256", "RS256"]), WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.claim.aud": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.claim.exp.seconds": Int = "300",
        Low, ReadOnly, Between(0, 86_400), WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.claim.iss": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.claim.jti.include": Boolean = "false",
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.claim.nbf.seconds": Int = "60",
        Low, ReadOnly, Between(0, 3_600), WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.claim.sub": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.file": String = null, Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.private.key.file": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.private.key.passphrase": Password = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.assertion.template.file": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.client.credentials.client.id": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.client.credentials.client.secret": Password = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.clock.skew.seconds": Int = "30", Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.expected.audience": List = "", High, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.expected.issuer": String = null, High, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.jwks.endpoint.refresh.ms": Long = "3600000",
        Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms": Long = "10000",
        Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms": Long = "100",
        Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.jwks.endpoint.url": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.jwt.retriever.class": Class = "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.jwt.validator.class": Class = "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.scope": String = null, Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.scope.claim.name": String = "scope",
        Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.sub.claim.name": String = "sub", Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.oauthbearer.token.endpoint.url": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
};
