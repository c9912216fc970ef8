//! The documentation page: Swagger UI in one file, whose scripts are known to the browser by their hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::{HeaderValue, header};
use poem::web::Html;
use poem::{IntoResponse, Response, RouteMethod};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::OnceLock;

/// The page.
pub fn page(html: String) -> RouteMethod {
    // Made when it is first asked for: the scripts are 1.5 MB.
    let policy = OnceLock::new();
    poem::get(poem::endpoint::make_sync(move |_| {
        let policy = policy.get_or_init(|| policy_of(&html)).clone();
        let mut response: Response = Html(html.clone()).into_response();
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }))
}

/// Only the page's own scripts run, and they talk to this server only. Swagger UI sets styles on elements and
/// has its pictures within itself.
fn policy_of(html: &str) -> HeaderValue {
    let mut policy = "default-src 'none'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; connect-src 'self'; img-src 'self' data:; \
         style-src 'unsafe-inline'; script-src"
        .to_owned();
    for script in scripts(html) {
        let hash = STANDARD.encode(Sha256::digest(script));
        // Writing to a string does not fail.
        let _ = write!(policy, " 'sha256-{hash}'");
    }
    HeaderValue::try_from(policy).expect("the policy and base64 are visible ASCII")
}

/// The text of each `<script>`: to its end tag, whatever stands between.
fn scripts(mut html: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (_, tag) = html.split_once("<script")?;
        let (script, rest) = tag.split_once('>')?.1.split_once("</script>")?;
        html = rest;
        Some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_goes_to_its_end_tag() {
        let html =
            "<style>a</style><script charset=\"UTF-8\">f('<script>')</script> <script>g</script>";
        assert_eq!(scripts(html).collect::<Vec<_>>(), ["f('<script>')", "g"]);
    }
}
