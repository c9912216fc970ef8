//! Who sends a request, and why somebody may not.

use ordermill_domain::access::{AuthenticationError, Grant, KeySet, Permission, Principal};
use ordermill_domain::clock::Timestamp;
use poem::Request;
use poem::http::{HeaderMap, HeaderName, HeaderValue, header};
use thiserror::Error;

/// The header of clients that cannot set `Authorization`.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The scheme of `Authorization`.
const BEARER: &str = "bearer";

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anybody: the server is open.
    Anyone,
    /// Somebody with a key.
    Known(Principal),
    /// Nobody who may do anything.
    Denied(Denial),
}

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Denial {
    /// Nobody knows who may do what.
    #[error("the API keys cannot be read; retry later")]
    Unread,
    /// It has no key.
    #[error(
        "an API key is required: send `Authorization: Bearer omk_live_…` or `X-API-Key: omk_live_…`"
    )]
    NoKey,
    /// It has several, or something else.
    #[error(
        "the credentials are malformed; expected one header, `Authorization: Bearer omk_live_…` or `X-API-Key: omk_live_…`"
    )]
    Malformed,
    /// Its key is not accepted.
    #[error("{0}")]
    NotAccepted(#[from] AuthenticationError),
    /// Its key is accepted, but not for this.
    #[error("{}", forbidden(.0, *.1))]
    Forbidden(Box<Principal>, Option<Permission>),
    /// Its key is a customer's, and the route does not yet tell what is his own.
    #[error("API keys of the role customer are not accepted here")]
    NotForCustomers,
}

fn forbidden(principal: &Principal, permission: Option<Permission>) -> String {
    let (key, role) = (&principal.key, principal.role());
    let roles = permission.into_iter().flat_map(Permission::roles);
    let roles: Vec<_> = roles.map(|(role, _)| role.as_str()).collect();
    match permission {
        Some(permission) => format!(
            "the API key {key} has the role {role}; {permission} requires one of: {}",
            roles.join(", ")
        ),
        None => format!("the API key {key} has the role {role}; no role permits this"),
    }
}

impl Caller {
    /// Nobody can be told from anybody yet.
    pub(super) fn unread() -> Self {
        Self::Denied(Denial::Unread)
    }

    /// The sender of a request with these headers, to a server that is locked.
    pub(super) fn of(headers: &HeaderMap, keys: &KeySet, now: Timestamp) -> Self {
        let sent = match credentials(headers) {
            Ok(sent) => sent,
            Err(denial) => return Self::Denied(denial),
        };
        match keys.authenticate(sent, now) {
            Ok(principal) => Self::Known(principal),
            Err(error) => Self::Denied(error.into()),
        }
    }

    /// The sender of a request that has come through the door.
    pub fn sending(request: &Request) -> Self {
        // What has come past the door has no business here.
        request.data::<Self>().cloned().unwrap_or(Self::Denied(Denial::Unread))
    }

    /// How far the caller has a permission, or why not at all.
    pub fn may(&self, permission: Permission) -> Result<Grant, Denial> {
        let principal = match self {
            Self::Anyone => return Ok(Grant::All),
            Self::Known(principal) => principal,
            Self::Denied(denial) => return Err(denial.clone()),
        };
        match permission.of_role(principal.role()) {
            Grant::None => Err(Denial::Forbidden(Box::new(principal.clone()), Some(permission))),
            granted => Ok(granted),
        }
    }

    /// Whether the caller may do everything of this kind.
    pub fn may_all(&self, permission: Permission) -> bool {
        matches!(self.may(permission), Ok(Grant::All))
    }

    /// What is answered where no role permits anything.
    pub fn denied(&self) -> Option<Denial> {
        match self {
            Self::Anyone => None,
            Self::Known(principal) => Some(Denial::Forbidden(Box::new(principal.clone()), None)),
            Self::Denied(denial) => Some(denial.clone()),
        }
    }

    /// The caller's name in records: the id of the key.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(principal) => principal.key.as_str(),
            Self::Anyone | Self::Denied(_) => "anyone",
        }
    }
}

/// The one key that a request has.
fn credentials(headers: &HeaderMap) -> Result<&str, Denial> {
    let authorization = headers.get_all(header::AUTHORIZATION).iter().map(bearer);
    let plain = headers.get_all(X_API_KEY).iter().map(|value| value.to_str().ok());
    let mut sent = authorization.chain(plain);
    match (sent.next(), sent.next()) {
        (None, _) => Err(Denial::NoKey),
        (Some(Some(key)), None) => Ok(key.trim()),
        (Some(_), _) => Err(Denial::Malformed),
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(BEARER).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(fields: &[(&'static str, &'static str)]) -> Result<String, Denial> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        credentials(&headers).map(str::to_owned)
    }

    #[test]
    fn a_request_has_one_key_in_either_header() {
        for (fields, expected) in [
            (&[] as &[_], Err(Denial::NoKey)),
            (&[("authorization", "Bearer k")], Ok("k")),
            (&[("authorization", "bearer  k ")], Ok("k")),
            (&[("x-api-key", "k")], Ok("k")),
            (&[("authorization", "Basic k")], Err(Denial::Malformed)),
            (&[("authorization", "k")], Err(Denial::Malformed)),
            (&[("authorization", "Bearer k"), ("x-api-key", "k")], Err(Denial::Malformed)),
            (&[("x-api-key", "k"), ("x-api-key", "l")], Err(Denial::Malformed)),
        ] {
            assert_eq!(sent(fields), expected.map(str::to_owned), "{fields:?}");
        }
    }

    #[test]
    fn a_request_that_has_come_past_the_door_is_denied() {
        let caller = Caller::sending(&Request::builder().finish());
        assert_eq!(caller.may(Permission::ReadStock), Err(Denial::Unread));
    }
}
