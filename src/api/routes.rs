//! What is where: each address with the methods that it takes, known from the routes' own
//! description. For `Allow` (RFC 9110 wants it true), and for the names of routes in metrics and logs.

use crate::api::problem::Problem;
use poem::http::{HeaderValue, Method, Uri};
use poem_openapi::registry::{MetaApi, MetaParamIn};
use reqwest::Url;
use std::collections::{BTreeMap, BTreeSet};

/// Addresses that stand beside the described routes; all are only read.
const READ_ONLY: [&str; 3] = ["/openapi.json", "/asyncapi.json", "/docs"];

/// Characters of an unknown parameter's name that an answer repeats.
const NAME_CHARS_MAX: usize = 60;

struct Known {
    name: String,
    allow: HeaderValue,
    /// What can be asked for in the query when it is read.
    query: Vec<String>,
}

/// All addresses, by the pattern that the router matches.
pub struct Routes(BTreeMap<String, Known>);

impl Routes {
    /// The table of these routes.
    pub fn new(apis: Vec<MetaApi>) -> Self {
        let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut queries: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in apis.into_iter().flat_map(|api| api.paths) {
            let taken = path.operations.iter().map(|operation| operation.method.to_string());
            methods.entry(path.path.clone()).or_default().extend(taken);
            let read = path.operations.iter().filter(|operation| operation.method == Method::GET);
            let params = read.flat_map(|operation| &operation.params);
            let query = params.filter(|param| param.in_type == MetaParamIn::Query);
            queries.entry(path.path).or_default().extend(query.map(|param| param.name.clone()));
        }
        for path in READ_ONLY {
            methods.entry(path.to_owned()).or_default().insert(Method::GET.to_string());
        }
        let known = methods.into_iter().map(|(name, mut methods)| {
            if methods.contains("GET") {
                methods.insert(Method::HEAD.to_string());
            }
            let allow = methods.into_iter().collect::<Vec<_>>().join(", ");
            let allow = HeaderValue::try_from(allow).expect("methods are visible ASCII");
            let query = queries.remove(&name).unwrap_or_default();
            (pattern(&name), Known { name, allow, query })
        });
        Self(known.collect())
    }

    /// The name of a route, as the document has it: `/orders/{order_id}`.
    pub fn name(&self, matched: &str) -> Option<&str> {
        self.known(matched).map(|known| known.name.as_str())
    }

    /// The methods that an address takes.
    pub fn allow(&self, matched: &str) -> Option<HeaderValue> {
        self.known(matched).map(|known| known.allow.clone())
    }

    /// What is wrong with the query of an address that is read: a parameter that it does not have would
    /// be a filter that does nothing. Where there are no parameters, none can be meant.
    pub fn misread(&self, matched: &str, uri: &Uri) -> Option<Problem> {
        let known = self.known(matched).filter(|known| !known.query.is_empty())?;
        let asked = Url::parse(&format!("http://query/?{}", uri.query()?)).ok()?;
        let mut seen = BTreeSet::new();
        let (name, message) = asked.query_pairs().find_map(|(name, _)| {
            if !known.query.iter().any(|known| *known == name) {
                let message = format!("is an unknown parameter; known: {}", known.query.join(", "));
                return Some((name, message));
            }
            let is_new = seen.insert(name.clone());
            (!is_new).then(|| (name, "is given twice; expected once".to_owned()))
        })?;
        let shown: String = name.chars().take(NAME_CHARS_MAX).collect();
        Some(Problem::bad_parameter(&shown, message))
    }

    fn known(&self, matched: &str) -> Option<&Known> {
        self.0.get(matched.trim_end_matches('/'))
    }
}

/// `/orders/{order_id}/cancel` as the router has it: `/orders/:param0/cancel`.
pub fn pattern(name: &str) -> String {
    let mut parameters = 0..;
    let segments = name.split('/').map(|segment| match segment.starts_with('{') {
        true => format!(":param{}", parameters.next().unwrap_or(0)),
        false => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}
