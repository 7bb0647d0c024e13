"""How well the capability law forecasts releases it has not seen."""
