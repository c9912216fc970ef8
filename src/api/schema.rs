//! Types that poem-openapi has no derive for: their schemas in the document.

/// Implements the traits of poem-openapi for a type with a schema of its own, or with that of another type (`as`).
/// The last argument writes the type in answers.
macro_rules! described {
    ([$($bounds:tt)*] $type:ty, $name:expr, $schema:expr, $json:expr) => {
        $crate::api::schema::described!(@ [$($bounds)*] $type, Self, $name.into(),
            ::poem_openapi::registry::MetaSchemaRef::Reference($name.to_owned()),
            |registry| registry.create_schema::<Self, _>($name.to_owned(), |_| $schema), $json);
    };
    ([$($bounds:tt)*] $type:ty as $like:ty, $json:expr) => {
        $crate::api::schema::described!(@ [$($bounds)*] $type,
            <$like as ::poem_openapi::types::Type>::RawValueType,
            <$like>::name(), <$like>::schema_ref(), |registry| <$like>::register(registry), $json);
    };
    (@ [$($bounds:tt)*] $type:ty, $raw:ty, $name:expr, $schema:expr,
        |$registry:ident| $register:expr, $json:expr) => {
        impl<$($bounds)*> ::poem_openapi::types::Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = $raw;
            type RawElementValueType = $raw;

            fn name() -> ::std::borrow::Cow<'static, str> {
                $name
            }

            fn schema_ref() -> ::poem_openapi::registry::MetaSchemaRef {
                $schema
            }

            fn register($registry: &mut ::poem_openapi::registry::Registry) {
                $register;
            }

            // The validators of poem-openapi only document: bodies are read by `body::Raw`.
            fn as_raw_value(&self) -> Option<&$raw> {
                None
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a $raw> + 'a> {
                Box::new(::std::iter::empty())
            }
        }

        impl<$($bounds)*> ::poem_openapi::types::ToJSON for $type {
            fn to_json(&self) -> Option<::serde_json::Value> {
                let json: fn(&Self) -> Option<::serde_json::Value> = $json;
                json(self)
            }
        }

        impl<$($bounds)*> ::poem_openapi::types::ParseFromJSON for $type {
            fn parse_from_json(
                _: Option<::serde_json::Value>,
            ) -> ::poem_openapi::types::ParseResult<Self> {
                Err(::poem_openapi::types::ParseError::custom("bodies are read by `body::Raw`"))
            }
        }
    };
}
pub(crate) use described;
