# frozen_string_literal: true

# Writes down where Jekyll puts each document, so that a preview need not guess permalinks.

require "json"

Jekyll::Hooks.register :site, :post_write do |site|
  addresses = site.documents.to_h { |document| [File.realpath(document.path), document.url] }
  File.write(ENV.fetch("BLOG_GEN_ADDRESSES"), JSON.generate(addresses))
end
