# Records tests/site/slugs.json: what Jekyll's own `slugify` makes of each text given as JSON on standard input.
require "json"
require "jekyll"
Jekyll.logger.log_level = :error
puts JSON.generate(JSON.parse($stdin.read).map { |text| [text, Jekyll::Utils.slugify(text)] }.to_h)
