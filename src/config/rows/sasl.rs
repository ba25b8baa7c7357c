//! SASL: Kerberos, logins and mechanisms.

use super::reasons::{ALONE, NO_SASL, SASL_CALLBACK};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::Any;
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static SASL: &[Setting] = rows! {
    "sasl.client.callback.handler.class": Class = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.enabled.mechanisms": List = "GSSAPI", Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.jaas.config": Password = null, Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.kerberos.kinit.cmd": String = "/usr/bin/kinit",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.kerberos.min.time.before.relogin": Long = "60000",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.kerberos.principal.to.local.rules": List = "DEFAULT",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.kerberos.service.name": String = null, Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.kerberos.ticket.renew.jitter": Double = "0.05",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.kerberos.ticket.renew.window.factor": Double = "0.8",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.callback.handler.class": Class = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.class": Class = null, Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.connect.timeout.ms": Int = null, Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.read.timeout.ms": Int = null, Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.refresh.buffer.seconds": Short = "300",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.refresh.min.period.seconds": Short = "60",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.refresh.window.factor": Double = "0.8",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.refresh.window.jitter": Double = "0.05",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.retry.backoff.max.ms": Long = "10000", Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.login.retry.backoff.ms": Long = "100", Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
    "sasl.mechanism.controller.protocol": String = "GSSAPI",
        High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "sasl.mechanism.inter.broker.protocol": String = "GSSAPI",
        Medium, PerBroker, Any, WithoutEffect(ALONE),
        "";
    "sasl.server.callback.handler.class": Class = null,
        Medium, ReadOnly, Any, Refused(SASL_CALLBACK),
        "";
    "sasl.server.max.receive.size": Int = "524288", Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "";
};
