# Records tests/site/dates.json: for each date given as JSON on standard input, as it may stand in front matter,
# what Jekyll's YAML makes of it, and the moment of a post with it (nil: Jekyll refuses to build). TZ is the site's.
require "json"
require "jekyll"

def shown(value)
  case value
  when Time then value.getutc.strftime("%Y-%m-%d %H:%M:%S.%6N")
  when Date then value.iso8601
  else value
  end
end

def moment(value)
  Jekyll::Utils.parse_date(value.to_s).to_s
rescue Jekyll::Errors::InvalidDateError
  nil
end

puts JSON.pretty_generate(
  JSON.parse($stdin.read).to_h do |written|
    value = Jekyll::Utils.safe_load_yaml("date: #{written}")["date"]
    [written, [shown(value), moment(value)]]
  end
)
