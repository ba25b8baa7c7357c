//! A principal as a broker hands it to the controller inside an Envelope (KIP-590); its version,
//! int16, stands before it.

use crate::protocol::string::Str;

declare! {
    /// Who sent the request that the envelope holds.
    message DefaultPrincipalData [0 flexible(0+)] {
        r#type: Str [0+],
        name: Str [0+],
        token_authenticated: bool [0+],
    }
}
