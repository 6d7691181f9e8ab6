# frozen_string_literal: true

# For the preview alone: leaves out the drafts at which a build stopped, and writes down where Jekyll puts each
# document, so that permalinks need not be guessed.

require "json"

Jekyll::Hooks.register :site, :post_read do |site|
  left_out = JSON.parse(ENV.fetch("BLOG_GEN_LEFT_OUT"))
  site.collections.each_value do |collection|
    collection.docs.reject! { |document| left_out.include?(File.realpath(document.path)) }
  end
end

Jekyll::Hooks.register :site, :post_write do |site|
  addresses = site.documents.to_h { |document| [File.realpath(document.path), document.url] }
  File.write(ENV.fetch("BLOG_GEN_ADDRESSES"), JSON.generate(addresses))
end
