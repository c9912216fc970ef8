//! The URL of a server as a command-line argument.

/// Checks the URL of a server and removes the slash at its end.
///
/// # Errors
/// When it is not `http://HOST` or `http://HOST:PORT`.
pub fn server_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).ok();
    let taken = |url: &reqwest::Url| {
        let bare = url.username().is_empty() && url.password().is_none();
        let whole = url.query().is_none() && url.fragment().is_none();
        url.scheme() == "http" && url.host_str().is_some() && url.path() == "/" && bare && whole
    };
    if !url.as_ref().is_some_and(taken) {
        return Err(
            "expected a URL such as http://127.0.0.1:8080, without user and password".to_owned()
        );
    }
    Ok(text.trim_end_matches('/').to_owned())
}
