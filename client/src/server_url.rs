//! The URL of a server as a command-line argument.

/// Checks the URL of a server and removes the slash at its end.
///
/// # Errors
/// When it is not `http://HOST` or `http://HOST:PORT`.
pub fn server_url(text: &str) -> Result<String, String> {
    let expected =
        |what: &str| Err(format!("{what}; expected a URL such as http://127.0.0.1:8080"));
    let Ok(url) = reqwest::Url::parse(text) else { return expected("it is not a URL") };
    let is_bare = url.username().is_empty() && url.password().is_none();
    let is_whole = url.query().is_none() && url.fragment().is_none();
    match () {
        () if !is_bare => expected("a user or a password is not supported"),
        () if url.scheme() != "http" => expected("only http is supported"),
        () if url.host_str().is_none() || url.path() != "/" || !is_whole => {
            expected("only a host and a port are supported, without a path")
        }
        () => Ok(text.trim_end_matches('/').to_owned()),
    }
}
