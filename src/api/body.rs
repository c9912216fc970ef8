//! Bodies that are read as text: money and ids keep what the client wrote.
//!
//! Documented by one type (`T`, for the OpenAPI document), read by another: serde, strictly, with
//! the path of the field at fault.

use crate::api::problem::{FieldError, Problem};
use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::impl_apirequest_for_payload;
use poem_openapi::payload::{Json, ParsePayload, Payload};
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A body as it was sent, documented as `T`.
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
        let bytes = Vec::<u8>::from_request(request, body).await?;
        Ok(Self { bytes, documented: PhantomData })
    }
}

impl_apirequest_for_payload!(Raw<T>, T: ParseFromJSON);

impl<T> Raw<T> {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads it. Malformed JSON, a wrong type, an unknown or a missing field are 400, with the field.
    pub fn parse<R: DeserializeOwned>(&self) -> Result<R, Problem> {
        let mut json = serde_json::Deserializer::from_slice(&self.bytes);
        let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let cause = error.into_inner();
            if !cause.is_data() {
                return Problem::bad_request(format!("the body is no JSON: {cause}"), Vec::new());
            }
            let field = if path == "." { String::new() } else { path };
            let message = readable(&cause.to_string());
            Problem::bad_request(format!("the body: {message}"), vec![FieldError::new(field, message)])
        })?;
        json.end().map_err(|cause| {
            Problem::bad_request(format!("the body goes on after its JSON: {cause}"), Vec::new())
        })?;
        Ok(parsed)
    }
}

/// serde's own words, without its positions.
fn readable(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    message.chars().take(200).collect()
}
