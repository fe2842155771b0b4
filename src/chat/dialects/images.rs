//! OpenAI images: generated, edited, and streamed with partial images.
//! Source: openai/openai-openapi, `ImagesResponse` and `ImageGenStreamEvent`.
//!
//! ```text
//! image_generation.partial_image* image_generation.completed        (image_edit.* alike)
//! ```

use crate::chat::builder::AnswerBuilder;
use crate::chat::delta::DeltaKind;
use crate::chat::details::describe_count;
use crate::chat::dialect::Dialect;
use crate::chat::members::{items_at, text_at};
use crate::chat::profile::DialectProfile;
use crate::chat::usage;
use crate::json::JsonValue;

/// OpenAI images.
pub(in crate::chat) struct ImagesDialect;

const PATH_REASON: &str = "the path is that of images";

static PROFILE: DialectProfile = DialectProfile {
    name: "openai-images",
    paths: &[
        ("/images/generations", PATH_REASON),
        ("/images/edits", PATH_REASON),
        ("/images/variations", PATH_REASON),
    ],
    errors_are_objects: true,
    ..DialectProfile::BASE
};

impl Dialect for ImagesDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        if event_kind(root).is_some() {
            return Some("the type of an event begins with image_");
        }
        let first = root.get("data")?.item_at(0)?;
        let is_image = first.get("b64_json").is_some() || first.get("revised_prompt").is_some();
        is_image.then_some("the body has images")
    }

    fn read_event(&self, _: &[u8], root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        let Some(kind) = event_kind(root) else {
            return;
        };
        builder.choice_mut(0);
        match &*kind {
            "partial_image" => {
                let text = format!("partial image of {} characters", image_size(root));
                builder.emit_event(DeltaKind::Other, &text);
                builder.state.lines = builder.state.lines.saturating_add(1);
                let count = builder.state.lines;
                builder.set_detail("partial", count, describe_count(count, "partial image"));
            }
            "completed" => {
                push_image(root, builder);
                read_ending(root, builder);
                builder.mark_done("completed");
            }
            _ => {}
        }
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        if root.get("data").is_none() {
            return;
        }
        builder.choice_mut(0);
        for image in items_at(root, "data") {
            push_image(image, builder);
        }
        read_ending(root, builder);
    }
}

/// The end of the type of a stream event: `partial_image`, `completed`.
fn event_kind(root: JsonValue<'_>) -> Option<std::borrow::Cow<'_, str>> {
    let kind = text_at(root, "type")?;
    let of_images = ["image_generation.", "image_edit."];
    let end = of_images
        .iter()
        .find_map(|start| kind.strip_prefix(start))?;
    Some(end.to_owned().into())
}

fn push_image(image: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let data = image.get("b64_json").or_else(|| image.get("url"));
    if let Some(data) = data {
        builder.push_image(0, data);
    }
}

/// Characters of base64 of an image.
fn image_size(image: JsonValue<'_>) -> u64 {
    let data = image.get("b64_json");
    data.map_or(0, |data| data.span().len().saturating_sub(2))
}

/// Reads the form of the images and the token counts. There is no finish reason: the end is one.
fn read_ending(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let keys = ["size", "quality", "output_format", "background"];
    let form: Vec<_> = keys.iter().filter_map(|key| text_at(root, key)).collect();
    let images = builder.choice_mut(0).images;
    let text = format!("{} {}", describe_count(images, "image"), form.join(", "));
    builder.set_detail("images", images, text.trim_end().to_owned());
    if let Some(counts) = root.get("usage") {
        builder.replace_usage(counts, usage::add_up_responses);
    }
    if images > 0 {
        let place = builder.event_place();
        builder.set_finish_reason(0, "done", place);
    }
}
