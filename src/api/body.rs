//! Bodies of requests. One declaration is documented by poem-openapi and read by serde: strictly, with the path
//! of the field at fault, and with scalars as they were written ([`scalar`](super::scalar)).

use crate::api::problem::{FieldError, Problem};
use crate::api::schema::described;
use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::error::ContentTypeError;
use poem_openapi::impl_apirequest_for_payload;
use poem_openapi::payload::{Json, ParsePayload, Payload};
use poem_openapi::registry::{MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A body as it was sent: documented as `T`, and read as one.
pub struct Raw<T> {
    bytes: Vec<u8>,
    documented: PhantomData<T>,
}

impl<T: Type> Payload for Raw<T> {
    const CONTENT_TYPE: &'static str = Json::<T>::CONTENT_TYPE;

    fn check_content_type(content_type: &str) -> bool {
        Json::<T>::check_content_type(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ParseFromJSON> ParsePayload for Raw<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        let bytes = <Vec<u8> as FromRequest>::from_request(request, body).await?;
        Ok(Self { bytes, documented: PhantomData })
    }
}

impl_apirequest_for_payload!(Raw<T>, T: ParseFromJSON);

/// A body that may be left out, together with its content type.
pub struct Optional<T>(Option<Raw<T>>);

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for Optional<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Raw::<T>::request_meta().map(|meta| MetaRequest { required: false, ..meta })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        if request.content_type().is_some() {
            let raw = <Raw<T> as ApiExtractor>::from_request(request, body, options).await?;
            return Ok(Self(Some(raw).filter(|raw| !raw.bytes.is_empty())));
        }
        match <Vec<u8> as FromRequest>::from_request(request, body).await?.is_empty() {
            true => Ok(Self(None)),
            false => Err(ContentTypeError::ExpectContentType.into()),
        }
    }
}

impl<T: DeserializeOwned + Default> Optional<T> {
    /// Reads it as [`Raw::parse`] does; the default stands for a missing body.
    pub fn parse(&self) -> Result<T, Problem> {
        self.0.as_ref().map_or_else(|| Ok(T::default()), Raw::parse)
    }
}

impl<T: DeserializeOwned> Raw<T> {
    /// Reads it. Malformed JSON, a wrong type, an unknown or a missing field are 400, with the field.
    pub fn parse(&self) -> Result<T, Problem> {
        if self.bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Problem::bad_request("the body is empty; expected JSON", Vec::new()));
        }
        let mut json = serde_json::Deserializer::from_slice(&self.bytes);
        let parsed: Fields<T> = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let cause = error.into_inner();
            if !cause.is_data() {
                return Problem::bad_request(
                    format!("the body is not valid JSON: {cause}"),
                    Vec::new(),
                );
            }
            at_fault(if path == "." { "" } else { &path }, &cause.to_string())
        })?;
        json.end().map_err(|cause| {
            Problem::bad_request(format!("trailing data after JSON: {cause}"), Vec::new())
        })?;
        Ok(parsed.0)
    }
}

/// A JSON object read by its fields' names. Serde would take an array for a struct as well, by the
/// order of its fields.
pub struct Fields<T>(pub T);

described!([T: Type + 'static] Fields<T> as T, |_| None);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Named<T> {
            type Value = Fields<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Fields)
            }
        }

        deserializer.deserialize_map(Named(PhantomData))
    }
}

/// Characters of a field's name or a message: a name is the client's.
const MESSAGE_MAX: usize = 120;

/// serde's own words made short: its positions and its lists of what it knows are left out.
fn at_fault(path: &str, cause: &str) -> Problem {
    let cause = cause.rsplit_once(" at line ").map_or(cause, |(cause, _)| cause);
    let quoted = cause.split('`').nth(1).unwrap_or_default();
    let inner = || if path.is_empty() { quoted.to_owned() } else { format!("{path}.{quoted}") };
    let (field, message) = if cause.starts_with("unknown field") {
        (path.to_owned(), "is an unknown field".to_owned())
    } else if cause.starts_with("missing field") {
        (inner(), "is missing".to_owned())
    } else if cause.starts_with("duplicate field") {
        (inner(), "is a duplicate field".to_owned())
    } else if let Some((_, expected)) = cause.split_once(", expected ") {
        // Before that serde quotes what was sent, which may be a secret: the number of a card, say.
        (path.to_owned(), format!("has the wrong type or value; expected {expected}"))
    } else {
        (path.to_owned(), format!("is invalid: {cause}"))
    };
    let short = |text: String| match text.char_indices().nth(MESSAGE_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    let (field, message) = (short(field), short(message));
    let subject = if field.is_empty() { "the body".to_owned() } else { format!("`{field}`") };
    Problem::bad_request(format!("{subject} {message}"), vec![FieldError::new(field, message)])
}
