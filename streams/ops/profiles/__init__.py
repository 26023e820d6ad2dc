"""What operators ask about people and organisations: who somebody is, why, and what is held about them."""
