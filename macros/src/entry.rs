//! What `#[molen::main]` and `#[molen::test]` have in common: an `async fn`
//! behind a plain one.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Error, Expr, FnArg, ItemFn, Path, Result, ReturnType, Token, Type, parse_quote};

/// The options that both know.
pub(crate) struct Options {
    pub(crate) backend: Option<Expr>,
    pub(crate) molen: Path,
}

impl Options {
    pub(crate) fn new() -> Options {
        Options { backend: None, molen: parse_quote!(::molen) }
    }

    /// Takes an option in; whether it is one of these.
    pub(crate) fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> Result<bool> {
        if meta.path.is_ident("backend") {
            self.backend = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("crate") {
            meta.input.parse::<Token![=]>()?;
            self.molen = meta.input.call(Path::parse_mod_style)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// Refuses what cannot be run by itself; `what` it is to be, with its article.
pub(crate) fn refuse(item: &ItemFn, what: &str) -> Result<()> {
    let error = |span: Span, text: &str| Err(Error::new(span, format!("{what} {text}")));
    let signature = &item.sig;
    if signature.asyncness.is_none() {
        return error(signature.fn_token.span(), "must be an `async fn`");
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        return error(signature.generics.span(), "cannot be generic: nobody chooses the types");
    }
    if let Some(abi) = &signature.abi {
        return error(abi.span(), "cannot have an ABI");
    }
    if let Some(unsafety) = &signature.unsafety {
        return error(unsafety.span(), "cannot be `unsafe`");
    }
    if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
        return error(receiver.span(), "cannot take `self`");
    }
    if let Some(variadic) = &signature.variadic {
        return error(variadic.span(), "cannot have variadic arguments");
    }
    Ok(())
}

/// A function of that name that does nothing: so that the compiler has only
/// the macro's complaint, and not also that the function is missing.
pub(crate) fn stub(item: TokenStream) -> TokenStream {
    let Ok(ItemFn { sig, .. }) = syn::parse2(item) else { return TokenStream::new() };
    let name = &sig.ident;
    quote!(fn #name() {})
}

/// The function as it was written, without what belongs to the one around it.
pub(crate) fn inner(item: &ItemFn) -> ItemFn {
    ItemFn { attrs: Vec::new(), vis: syn::Visibility::Inherited, ..item.clone() }
}

/// What the function returns, as tokens of a type.
pub(crate) fn output(item: &ItemFn) -> TokenStream {
    match &item.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, output) => quote!(#output),
    }
}

/// Whether the function says that it never returns.
pub(crate) fn never_returns(item: &ItemFn) -> bool {
    matches!(&item.sig.output, ReturnType::Type(_, output) if matches!(**output, Type::Never(_)))
}
