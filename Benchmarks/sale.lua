-- Sales with their own invoices. One in four is by a new customer, who brings a code; the others are by customers of this run, who are bound.
-- KEY: the secret key; ROUND: a word that no other round has; CODES: how many codes there are.
local key, round, codes = os.getenv("KEY"), os.getenv("ROUND"), tonumber(os.getenv("CODES"))
local headers = { ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json" }

local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local count, customers = 0, 0
function init(arguments) math.randomseed(1997 + number) end

function request()
  local invoice = string.format("%s-%d-%d", round, number, count)
  local customer, code
  if count % 4 == 0 then
    customer, code = customers, string.format(',"code":"SALE-%d"', math.random(1, codes))
    customers = customers + 1
  else
    customer, code = math.random(0, customers - 1), ""
  end
  count = count + 1
  headers["Idempotency-Key"] = invoice
  return wrk.format("POST", "/api/v1/track/sale", headers, string.format(
    '{"customerExternalId":"%s-%d-%d","amount":%d,"currency":"EUR","invoiceId":"%s"%s}',
    round, number, customer, math.random(100, 20000), invoice, code))
end
